//! Progress on a terminal: the phases as a checklist above a bar.

use std::time::Duration;

use colored::Colorize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::moments::{Moment, Moments};
use super::show::Show;
use crate::cli::format;
use crate::contract::Status;
use crate::report::{IncidentState, IncidentStatus};

/// The checklist.
pub(super) struct Checklist {
    bars: MultiProgress,
    /// One line per phase, in order, with the name of the phase.
    phases: Vec<(String, ProgressBar)>,
    total: Option<ProgressBar>,
    moments: Moments,
}

impl Checklist {
    pub(super) fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(15));
        Self { bars, phases: Vec::new(), total: None, moments: Moments::default() }
    }

    /// A phase has ended: its line shows the result.
    fn done(&self, phase: &str, moment: Option<&Moment>) {
        let Some((name, bar)) = self.phases.iter().find(|(name, _)| name == phase) else { return };
        bar.disable_steady_tick();
        bar.set_style(style(&format!(" {} {{wide_msg}}", "✓".green())));
        let label = format::in_phase(name, &format!("{name:<9}"));
        bar.finish_with_message(format!("{label} {}", moment.map(Moment::line).unwrap_or_default()));
    }

    fn begin(&mut self, incident: &IncidentState) {
        let severity = incident.severity.map_or("", |severity| severity.as_str());
        let title =
            format!("{}  {}  {}", incident.id.bold(), severity.red().bold(), format::plain(&incident.title));
        // Printed above the bars. An error means that the terminal is gone.
        let _ = self.bars.println(title);
        for phase in &incident.phases {
            let bar = self.bars.add(ProgressBar::new_spinner());
            bar.set_style(style("   {msg}"));
            bar.set_message(format!("{:<9}", phase.name).dimmed().to_string());
            self.phases.push((phase.name.clone(), bar));
        }
        let end = incident.phases.last().and_then(|phase| phase.end_s).unwrap_or_default();
        let bar = self.bars.add(ProgressBar::new((end.max(1.0) * 10.0) as u64));
        bar.set_style(style(" [{bar:28}] {msg}").progress_chars("=>-"));
        self.total = Some(bar);
    }
}

/// The style of a template. If the template is malformed, the default style is used.
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
        let Some((name, bar)) = self.phases.iter().find(|(name, _)| Some(name) == incident.phase.as_ref())
        else {
            return;
        };
        if bar.is_finished() || incident.state != IncidentStatus::Open {
            return;
        }
        bar.set_style(style(" {spinner:.cyan} {wide_msg}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        let label = format::in_phase(name, &format!("{name:<9}"));
        match moment {
            Some(moment) if moment.status == Status::Failed => {
                bar.set_message(format!(
                    "{label} {}",
                    moment
                        .line()
                        .replace(&moment.summary, &format!("{} {}", "failed:".red(), moment.summary))
                ));
            }
            Some(moment) => bar.set_message(format!("{label} {}", moment.line())),
            None if bar.message().trim_end().ends_with(name.as_str()) => bar.set_message(label.to_string()),
            None => {}
        }
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
        if let Some((phase, moment)) = self.moments.end() {
            self.done(&phase, moment.as_ref());
        }
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
