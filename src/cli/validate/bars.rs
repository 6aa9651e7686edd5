//! The plan of a scenario as bars to scale, a row a step: `validate --timeline` on a terminal. Time runs as on screen.

use std::collections::HashMap;

use crate::cli::fit;
use crate::contract::{Message, Status};
use crate::plan::Plan;
use crate::scenario::Micros;

/// Columns of the names of steps, at most.
const NAMES: usize = 18;

/// The fewest columns in which bars say anything.
const NARROWEST: usize = 20;

/// A step: its name, and when its attempts begin and end.
#[derive(Default)]
struct Row {
    name: String,
    /// When an attempt begins that has not ended.
    since: Option<u64>,
    /// From when to when, in screen time, and how it ended.
    attempts: Vec<(u64, u64, Status)>,
}

/// The bars, in lines of at most `columns`; none if there is no room for them.
pub(super) fn lines(plan: &Plan, columns: usize) -> Vec<String> {
    let (rows, phases) = read(plan);
    let names = rows.iter().map(|row| fit::width(&row.name)).max().unwrap_or_default().min(NAMES);
    let Some(width) = columns.checked_sub(names + 2).filter(|width| *width >= NARROWEST) else {
        return Vec::new();
    };
    let last = plan.duration().max(1);
    // The column of a moment, from 0.
    let column = |due: u64| ((due as f64 / last as f64) * (width - 1) as f64).round() as usize;
    let margin = " ".repeat(names + 2);
    let mut lines = Vec::new();
    let begins: Vec<usize> = phases.iter().map(|(_, due)| column(*due)).collect();
    let mut heads = String::new();
    for (place, (name, _)) in phases.iter().enumerate() {
        let room = begins.get(place + 1).copied().unwrap_or(width).saturating_sub(begins[place]);
        heads += &match room {
            0..3 => " ".repeat(room),
            _ => fit::column(&fit::cut(name, room - 1), room),
        };
    }
    lines.push(format!("{margin}{}", heads.trim_end()));
    let mut ruler: Vec<char> = vec!['─'; width];
    begins.iter().filter(|begin| **begin < width).for_each(|begin| ruler[*begin] = '┬');
    (ruler[0], ruler[width - 1]) = ('├', '┤');
    lines.push(format!("{margin}{}", ruler.into_iter().collect::<String>()));
    for row in rows {
        let mut cells: Vec<char> = vec![' '; width];
        begins.iter().skip(1).filter(|begin| **begin < width).for_each(|begin| cells[*begin] = '┊');
        for (from, to, status) in row.attempts {
            let (from, to) = (column(from), column(to));
            cells[from..to].fill('█');
            cells[to] = if status == Status::Failed { '✗' } else { '●' };
        }
        let bar: String = cells.into_iter().collect();
        lines.push(format!("{}  {}", fit::column(&row.name, names), bar.trim_end()));
    }
    let (begin, end) = ("0s", Micros(last / 1_000_000 * 1_000_000).to_string());
    let between = width.saturating_sub(begin.len() + end.len());
    lines.push(format!("{margin}{begin}{}{end}", " ".repeat(between)));
    lines
}

/// The steps in the order in which they begin, and the phases with the screen times at which they begin.
fn read(plan: &Plan) -> (Vec<Row>, Vec<(String, u64)>) {
    let (mut rows, mut row_of, mut phases) = (Vec::<Row>::new(), HashMap::new(), Vec::new());
    for event in plan.events() {
        match event.message() {
            Ok(Message::IncidentStarted(started)) => {
                let mut due = 0.0;
                for phase in started.phases {
                    phases.push((phase.name, Micros::from_secs(due).0));
                    due += phase.play_s.unwrap_or_default();
                }
            }
            Ok(Message::AgentAction(action)) => {
                let name = action.step.unwrap_or(action.action);
                let place = *row_of.entry(name.clone()).or_insert_with(|| {
                    rows.push(Row { name, ..Row::default() });
                    rows.len() - 1
                });
                let row = &mut rows[place];
                match action.status {
                    Status::InProgress => row.since = Some(event.due),
                    status => {
                        let from = row.since.take().unwrap_or(event.due);
                        row.attempts.push((from, event.due, status));
                    }
                }
            }
            _ => {}
        }
    }
    (rows, phases)
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::cli::fit;
    use crate::scenario::{SHIPPED, Scenario};

    #[test]
    fn bars_are_to_scale_and_fit() {
        let text = SHIPPED.iter().find(|(file, _)| *file == "database-outage.toml").expect("it is shipped").1;
        let plan = Scenario::parse("database-outage.toml", text)
            .expect("it is sound")
            .compile(42)
            .expect("it compiles");
        for columns in [40, 60, 80, 120, 200] {
            let lines = lines(&plan, columns);
            assert!(lines.iter().all(|line| fit::width(line) <= columns), "{columns}: {lines:#?}");
            let restart = lines.iter().find(|line| line.starts_with("restart")).expect("a row");
            // Where a column is several seconds, two failures may share it.
            let failures = restart.matches('✗').count();
            assert!(failures == 3 || (failures == 2 && columns < 60), "{restart}");
            let place = |line: &str, mark: char| line.chars().position(|c| c == mark).expect("a mark") as f64;
            // The restart begins at 95 s of 180.
            let begin = lines[1].chars().position(|c| c == '├').expect("a ruler") as f64;
            let part = (place(restart, '✗') - begin) / (columns as f64 - begin);
            assert!((part - 98.0 / 180.0).abs() < 0.04, "{columns}: {part}");
        }
        assert!(lines(&plan, 30).is_empty(), "there is no room");
    }
}
