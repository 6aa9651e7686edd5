//! Progress on a terminal: the phases as a checklist above a bar.

use std::time::Duration;

use colored::Colorize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::moments::{Moment, Moments};
use super::phases::Phases;
use super::show::{Ending, Show};
use crate::cli::bars::{Shows, line_above};
use crate::cli::out::{Painted, painted};
use crate::cli::terminal::redraws;
use crate::cli::{fit, format, screen};
use crate::contract::Status;
use crate::report::{IncidentState, IncidentStatus};
use crate::visible::visible;

/// Columns before the message of a phase: a space, the mark, a space.
const MARGIN: usize = 3;

/// The most columns of the bar, and the fewest: with less space there is none.
const BAR: usize = 28;
const SHORTEST_BAR: usize = 8;

/// How often it is drawn in a second.
const HZ: u8 = 15;

/// The checklist.
pub(super) struct Checklist {
    bars: MultiProgress,
    phases: Phases,
    total: Option<ProgressBar>,
    /// The columns of the bar within `total`.
    bar: usize,
    moments: Moments,
    /// There is no connection: nothing moves.
    waits: bool,
    /// The terminal has become too narrow to be drawn on.
    is_hidden: bool,
    /// The columns for which it was drawn.
    columns: usize,
}

impl Checklist {
    pub(super) fn new() -> Self {
        let bars = MultiProgress::with_draw_target(screen::target(HZ));
        let moments = Moments::default();
        let columns = fit::of_stderr();
        let phases = Phases::new(&bars);
        Self { bars, phases, total: None, bar: BAR, moments, waits: false, is_hidden: false, columns }
    }

    /// Stops drawing while the terminal has too few columns: each line would take several. Lines that do not move any more are
    /// laid out again too.
    fn follow_width(&mut self) {
        let is_hidden = !redraws();
        if std::mem::replace(&mut self.is_hidden, is_hidden) != is_hidden {
            if is_hidden {
                // If this fails, the terminal is gone.
                let _ = self.bars.clear();
                self.bars.set_draw_target(ProgressDrawTarget::hidden());
            } else {
                self.bars.set_draw_target(screen::target(HZ));
            }
        }
        self.show_phases();
        let columns = fit::of_stderr();
        if !is_hidden && std::mem::replace(&mut self.columns, columns) != columns {
            self.phases.force_draw();
        }
    }

    /// A phase has ended: its line shows the result.
    fn done(&self, phase: &str, moment: Option<&Moment>) {
        self.close(phase, &"✓".green().to_string(), &moment.map(Moment::line).unwrap_or_default());
    }

    /// The last state of a phase's line.
    fn close(&self, phase: &str, mark: &str, text: &Painted) {
        let Some((name, bar)) = self.phases.get(phase) else { return };
        bar.disable_steady_tick();
        bar.set_style(style(&format!(" {mark} {{wide_msg}}")));
        bar.close_with(message(name, text));
    }

    fn begin(&mut self, incident: &IncidentState) {
        let severity = incident.severity.map_or("", |severity| severity.as_str());
        let head = [visible(&incident.id).into_owned(), severity.to_owned()];
        let title = format!("{}  {}", head.join("  "), visible(&incident.title));
        for (number, line) in fit::wrapped(&title, fit::of_stderr(), 2).into_iter().enumerate() {
            let painted = match line.strip_prefix(&head.join("  ")) {
                Some(rest) if number == 0 => painted![head[0].bold(), "  ", head[1].red().bold(), rest],
                _ => painted![line],
            };
            line_above(&self.bars, painted);
        }
        for phase in &incident.phases {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            bar.set_style(style("   {wide_msg}"));
            bar.show(painted![label(&phase.name).dimmed()]);
            self.phases.push(phase.name.clone(), bar);
        }
        let end = incident.phases.last().and_then(|phase| phase.end_s).unwrap_or_default();
        let bar = self.bars.add(ProgressBar::new((end.max(1.0) * 10.0) as u64));
        bar.set_style(total_style(self.bar));
        self.total = Some(bar);
        self.show_phases();
    }

    /// Draws the phases that the terminal has room for.
    fn show_phases(&mut self) {
        self.phases.show_around(self.moments.phase(), fit::rows_of_stderr());
    }

    /// The line of the current phase.
    fn current(&self) -> Option<&(String, ProgressBar)> {
        let phase = self.moments.phase()?;
        self.phases.get(phase).filter(|(_, bar)| !bar.is_finished())
    }

    /// The text beside the bar, which gives way to it.
    fn set_total(&mut self, text: Painted, bar: bool) {
        let Some(total) = &self.total else { return };
        let left = fit::of_stderr().saturating_sub(text.width() + " [] ".len() + 1);
        let bar = if !bar || left < SHORTEST_BAR { 0 } else { left.min(BAR) };
        if std::mem::replace(&mut self.bar, bar) != bar {
            total.set_style(total_style(bar));
        }
        total.show(text);
    }
}

/// `detect   `
fn label(phase: &str) -> String {
    fit::column(&visible(phase), 9)
}

/// The message of a phase, cut to what fits behind the mark.
fn message(phase: &str, text: &Painted) -> Painted {
    let columns = fit::of_stderr().saturating_sub(MARGIN + 10 + 1);
    painted![format::in_phase(phase, &label(phase)), " ", text.cut(columns)]
}

fn total_style(bar: usize) -> ProgressStyle {
    match bar {
        0 => style(" {wide_msg}"),
        bar => style(&format!(" [{{bar:{bar}}}] {{wide_msg}}")).progress_chars("=>-"),
    }
}

/// A spinner before the text. Its pictures are coloured here: what draws it would ask stdout whether there are colours.
fn spinning() -> ProgressStyle {
    let pictures: Vec<String> = "⠁⠁⠉⠙⠚⠒⠂⠂⠒⠲⠴⠤⠄⠄⠤⠠⠠⠤⠦⠖⠒⠐⠐⠒⠓⠋⠉⠈⠈ "
        .chars()
        .map(|picture| picture.to_string().cyan().to_string())
        .collect();
    let pictures: Vec<&str> = pictures.iter().map(String::as_str).collect();
    style(" {spinner} {wide_msg}").tick_strings(&pictures)
}

/// The style of a template, in which `wide_msg` is cut where the terminal ends: it may have become narrower since the text
/// was made. If the template is malformed, the default style is used.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Show for Checklist {
    fn event(&mut self, incident: &IncidentState) {
        if self.phases.is_empty() && !incident.phases.is_empty() {
            self.begin(incident);
        }
        let (moment, ended) = self.moments.take(incident);
        if let Some((phase, moment)) = ended {
            self.done(&phase, moment.as_ref());
        }
        self.show_phases();
        let Some((name, bar)) = self.current() else { return };
        if incident.state != IncidentStatus::Open {
            return;
        }
        bar.set_style(spinning());
        bar.enable_steady_tick(Duration::from_millis(100));
        match moment {
            Some(moment) if moment.status == Status::Failed => {
                bar.show(message(name, &moment.failed()));
            }
            Some(moment) => bar.show(message(name, &moment.line())),
            None if bar.message().contains(&label(name)) && fit::width(&bar.message()) <= 10 => {
                bar.show(painted![format::in_phase(name, &label(name))]);
            }
            None => {}
        }
    }

    fn tick(&mut self, incident: &IncidentState, now: Timestamp) {
        self.follow_width();
        if std::mem::take(&mut self.waits)
            && let Some((_, bar)) = self.current()
        {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        // A drill's start is seen before everything else.
        let offset = incident.offset_at(now).unwrap_or_default();
        if let Some(total) = &self.total {
            total.set_position((offset * 10.0) as u64);
        }
        let target =
            incident.target_s.map_or_else(String::new, |target| format!(" / {}", format::clock(target)));
        let clock = format!("{}{target}", format::clock(offset));
        let cost = incident.cost.as_ref().zip(incident.cost_at(now)).map(|(cost, total)| {
            (format!("   {}", format::money(&cost.currency, total)), format!("  ({})", format::rate(cost)))
        });
        let (cost, rate) = cost.unwrap_or_default();
        let columns = fit::of_stderr().saturating_sub(" [] ".len() + SHORTEST_BAR + 1);
        let longest = [format!("{clock}{cost}{rate}"), format!("{clock}{cost}"), clock.clone()];
        let fits = longest.into_iter().find(|text| fit::width(text) <= columns);
        self.set_total(painted![fits.unwrap_or(clock)], true);
    }

    fn waiting(&mut self, url: &str, since: Duration) {
        self.follow_width();
        if !std::mem::replace(&mut self.waits, true)
            && let Some((_, bar)) = self.current()
        {
            bar.disable_steady_tick();
        }
        let text = format!("no connection for {}, waiting for {url}", format::clock(since.as_secs_f64()));
        let columns = fit::of_stderr().saturating_sub(2);
        self.set_total(painted![fit::cut(&text, columns).yellow()], false);
    }

    fn note(&mut self, text: &str) {
        for line in fit::wrapped(&visible(&format!("── {text} ──")), fit::of_stderr(), 3) {
            line_above(&self.bars, painted![line.yellow()]);
        }
    }

    fn end(&mut self, ending: Ending) {
        if let Some((phase, moment)) = self.moments.end() {
            match ending {
                Ending::Resolved => self.done(&phase, moment.as_ref()),
                Ending::Cancelled => self.close(&phase, &"✗".red().to_string(), &painted!["cancelled"]),
                Ending::Left => self.close(&phase, "…", &painted!["not finished"]),
            }
        }
        self.phases.abandon();
        if let Some(total) = &self.total {
            total.finish_and_clear();
        }
    }
}
