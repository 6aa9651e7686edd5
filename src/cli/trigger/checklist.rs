//! Progress on a terminal: the phases as a checklist above one bar.

use std::time::Duration;

use colored::Colorize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::Show;
use crate::cli::format;
use crate::contract::Status;
use crate::report::{IncidentState, State};

/// The checklist.
pub(super) struct Checklist {
    bars: MultiProgress,
    /// A line a phase, in order, with the phase's name.
    phases: Vec<(String, ProgressBar)>,
    total: Option<ProgressBar>,
}

impl Checklist {
    pub(super) fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(15));
        Self { bars, phases: Vec::new(), total: None }
    }

    fn begin(&mut self, incident: &IncidentState) {
        let severity = incident.severity.map_or("", |severity| severity.as_str());
        let title = format!("{}  {}  {}", incident.id.bold(), severity.red().bold(), incident.title);
        // Above the bars; a terminal that is gone shows nothing anyway.
        let _ = self.bars.println(title);
        for phase in &incident.phases {
            let bar = self.bars.add(ProgressBar::new_spinner());
            bar.set_style(style("   {msg}"));
            bar.set_message(format!("{:<9}", phase.name).dimmed().to_string());
            self.phases.push((phase.name.clone(), bar));
        }
        let end = incident.phases.last().map_or(0.0, |phase| phase.end_s);
        let bar = self.bars.add(ProgressBar::new((end.max(1.0) * 10.0) as u64));
        bar.set_style(style(" [{bar:28}] {msg}").progress_chars("=>-"));
        self.total = Some(bar);
    }
}

/// Our own templates are sound; if one were not, the plain bar is still a bar.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Show for Checklist {
    fn event(&mut self, incident: &IncidentState) {
        if self.phases.is_empty() && !incident.phases.is_empty() {
            self.begin(incident);
        }
        let current = incident.phases.iter().position(|phase| Some(&phase.name) == incident.phase.as_ref());
        let Some(current) = current.filter(|current| *current < self.phases.len()) else { return };
        let over = incident.state != State::Open;
        let done = if over { current + 1 } else { current };
        for (name, bar) in self.phases.iter().take(done).filter(|(_, bar)| !bar.is_finished()) {
            bar.set_style(style(&format!(" {} {{msg}}", "✓".green())));
            if bar.message().len() <= name.len() {
                bar.set_message(name.clone());
            }
            bar.finish();
        }
        if over {
            return;
        }
        let (name, bar) = &self.phases[current];
        bar.set_style(style(&format!(" {{spinner:.cyan}} {{wide_msg}}")));
        bar.enable_steady_tick(Duration::from_millis(100));
        let Some(now) = &incident.now else { return };
        let agent = incident.agents.iter().find(|agent| agent.id == now.agent);
        let confidence = agent.and_then(|agent| agent.confidence);
        let label = format::in_phase(name, &format!("{name:<9}"));
        let failed =
            if now.status == Status::Failed { format!("{} ", "failed:".red()) } else { String::new() };
        let at = format::clock(agent.and_then(|agent| agent.since_s).unwrap_or(incident.offset_s));
        bar.set_message(format!("{label} {at}  {}  {failed}{}", format::percent(confidence), now.summary));
    }

    fn tick(&mut self, incident: &IncidentState, now: Timestamp) {
        let Some(bar) = &self.total else { return };
        let offset = incident.offset_at(now);
        bar.set_position((offset * 10.0) as u64);
        let target =
            incident.target_s.map_or_else(String::new, |target| format!(" / {}", format::clock(target)));
        let cost = match (&incident.cost, incident.cost_at(now)) {
            (Some(cost), Some(total)) => {
                format!("   {}  ({})", format::money(&cost.currency, total), format::rate(cost))
            }
            _ => String::new(),
        };
        bar.set_message(format!("{}{target}{cost}", format::clock(offset)));
    }

    fn note(&mut self, text: &str) {
        let _ = self.bars.println(format!("── {text} ──").yellow().to_string());
    }

    fn end(&mut self) {
        for (_, bar) in &self.phases {
            if !bar.is_finished() {
                bar.abandon();
            }
        }
        if let Some(total) = &self.total {
            total.finish_and_clear();
        }
    }
}
