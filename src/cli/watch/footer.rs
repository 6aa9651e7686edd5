//! Two lines that stay at the bottom of the terminal: whether the stream is live, and the state of the incident.

use colored::Colorize;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::clock::ServerClock;
use crate::cli::format;
use crate::contract::StreamOpened;
use crate::report::{Board, IncidentState, IncidentStatus};

/// The footer. It shows nothing if the output is not a terminal.
pub(super) struct Footer {
    bar: Option<ProgressBar>,
    clock: ServerClock,
    alive: bool,
}

impl Footer {
    pub(super) fn new(shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{prefix}\n{wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, clock: ServerClock::default(), alive: true }
    }

    pub(super) fn open(&mut self, opened: &StreamOpened) {
        self.clock.set(opened);
        self.alive = true;
    }

    pub(super) fn alive(&mut self) {
        self.alive = true;
    }

    pub(super) fn lost(&mut self) {
        self.alive = false;
    }

    /// Writes something above the footer.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    pub(super) fn tick(&mut self, board: &Board, wanted: Option<&str>) {
        let Some(bar) = &self.bar else { return };
        let state = if self.alive { "● LIVE".green().bold() } else { "○ DISCONNECTED".red().bold() };
        let mut incidents =
            board.incidents().iter().filter(|incident| wanted.is_none_or(|id| id == incident.id));
        let open = incidents.clone().filter(|incident| incident.state == IncidentStatus::Open).count();
        // The oldest open incident, else the one that ended last.
        let shown = incidents
            .clone()
            .find(|incident| incident.state == IncidentStatus::Open)
            .or_else(|| incidents.next_back());
        let text = match shown {
            Some(incident) => self.incident(incident),
            None => "no incidents".dimmed().to_string(),
        };
        let more = if open > 1 { format!("  (+{} more)", open - 1) } else { String::new() };
        let (_, width) = console::Term::stderr().size();
        bar.set_prefix("─".repeat(width.into()).dimmed().to_string());
        bar.set_message(format!("{state} {text}{more}"));
        bar.tick();
    }

    fn incident(&self, incident: &IncidentState) -> String {
        let now = self.clock.now();
        let mut parts = vec![format::plain(&incident.id).bold().to_string()];
        let phase = format::plain(incident.phase.as_deref().unwrap_or_default());
        let phase = phase.as_str();
        match incident.state {
            IncidentStatus::Open => {
                if !phase.is_empty() {
                    parts.push(format::in_phase(phase, &phase.to_uppercase()).to_string());
                }
                // Without a target the clock counts up.
                if incident.target_s.is_none() {
                    parts.push(format!("for {}", format::clock(incident.offset_at(now))));
                }
                if let Some(target) = incident.target_s {
                    let left = target - incident.offset_at(now);
                    parts.push(if left >= 0.0 {
                        format!("left {}", format::clock(left))
                    } else {
                        format!("over {}", format::clock(-left)).red().to_string()
                    });
                }
            }
            IncidentStatus::Resolved => {
                parts.push(format!("{} in {}", "RESOLVED".green(), format::clock(incident.offset_s)));
            }
            IncidentStatus::Cancelled => parts.push("CANCELLED".red().to_string()),
        }
        if let (Some(cost), Some(total)) = (&incident.cost, incident.cost_at(now)) {
            parts.push(format::money(&cost.currency, total));
        }
        parts.extend(incident.metrics.iter().take(3).map(|(name, value)| {
            let unit = incident.units.get(name).map_or_else(String::new, |unit| format::plain(unit));
            format!("{} {}", format::plain(name).replace('_', " "), format::metric(*value, &unit))
        }));
        parts.join("  ")
    }

    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
