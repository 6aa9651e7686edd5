//! Two lines that stay at the bottom of the terminal: whether the stream is live, and the state of the incident.

use std::time::Instant;

use colored::Colorize;
use indicatif::{ProgressBar, ProgressStyle};

use super::layout::Parts;
use crate::cli::bars::Shows;
use crate::cli::clock::ServerClock;
use crate::cli::known::Known;
use crate::cli::out::{Painted, painted};
use crate::cli::times::Times;
use crate::cli::{fit, format, screen};
use crate::contract::{Envelope, StreamOpened};
use crate::report::{IncidentState, IncidentStatus};
use crate::visible::visible;

/// The footer. It shows nothing if the output is not a terminal.
pub(super) struct Footer {
    bar: Option<ProgressBar>,
    clock: ServerClock,
    /// When the connection was lost, if it is.
    lost: Option<Instant>,
    /// Since when the server publishes no events, if it does not.
    paused: Option<Instant>,
}

impl Footer {
    pub(super) fn new(shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, screen::target(10));
            if let Ok(style) = ProgressStyle::with_template("{prefix}\n{wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, clock: ServerClock::default(), lost: None, paused: None }
    }

    pub(super) fn open(&mut self, opened: &StreamOpened) {
        self.clock.set(opened);
        (self.lost, self.paused) = (None, None);
    }

    /// Takes in the time of an event, so that the clocks follow the server's when it is set.
    pub(super) fn heard(&mut self, event: &Envelope, live: bool) {
        self.clock.heard(event, live);
    }

    /// Whether the clocks need the times that the server tells.
    pub(super) fn asks(&mut self) -> bool {
        self.is_shown() && self.clock.asks()
    }

    pub(super) fn told(&mut self, times: &Times) {
        self.clock.told(times);
    }

    /// The server did not tell the times.
    pub(super) fn is_untold(&mut self) {
        self.clock.is_untold();
    }

    pub(super) fn alive(&mut self) {
        (self.lost, self.paused) = (None, None);
        self.clock.go_on();
    }

    /// The server is there and publishes no events: the clocks stop, because nothing goes on.
    pub(super) fn pause(&mut self) {
        self.lost = None;
        self.clock.stop();
        self.paused.get_or_insert_with(Instant::now);
    }

    /// The connection is lost: the clocks stop, because nobody knows how the incident goes on.
    pub(super) fn lost(&mut self) {
        self.clock.stop();
        self.lost.get_or_insert_with(Instant::now);
    }

    /// Writes something above the footer.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    pub(super) fn tick(&mut self, known: &Known, wanted: Option<&str>) {
        let Some(bar) = &self.bar else { return };
        let since = |since: Instant| format::clock(since.elapsed().as_secs_f64());
        let state = match (self.lost, self.paused) {
            (Some(lost), _) => format!("○ DISCONNECTED {}", since(lost)).red().bold(),
            (None, Some(paused)) => format!("○ PAUSED {}", since(paused)).yellow().bold(),
            (None, None) => "● LIVE".green().bold(),
        };
        let mut incidents =
            known.incidents().iter().filter(|incident| wanted.is_none_or(|id| id == incident.id));
        let open = incidents.clone().filter(|incident| incident.state == IncidentStatus::Open).count();
        // The oldest open incident, else the one that ended last.
        let shown = incidents
            .clone()
            .find(|incident| incident.state == IncidentStatus::Open)
            .or_else(|| incidents.next_back());
        let width = fit::of_stderr();
        let more = if open > 1 { format!("(+{} more)", open - 1) } else { String::new() };
        let text = match shown {
            Some(incident) => self.parts(incident).fitted(&painted![state], &more, width),
            None => painted![state, " ", "no incidents".dimmed()],
        };
        bar.show_above(painted!["─".repeat(width).dimmed()]);
        bar.show(text);
        bar.tick();
    }

    fn parts(&self, incident: &IncidentState) -> Parts {
        let now = self.clock.now_in(&incident.id);
        let phase = incident.phase.as_deref().unwrap_or_default();
        let (phase, clock) = match incident.state {
            IncidentStatus::Open => {
                let phase = painted![format::in_phase(phase, &phase.to_uppercase())];
                let second = incident.offset_at(now);
                let clock = match (second, second.and_then(|second| Some(incident.target_s? - second))) {
                    // The beginning of the incident is gone, and with it what the clock counts from.
                    (None, _) => Painted::default(),
                    // Without a target the clock counts up.
                    (Some(second), None) => painted![format!("for {}", format::clock(second))],
                    (_, Some(left)) if left >= 0.0 => painted![format!("left {}", format::clock(left))],
                    (_, Some(over)) => painted![format!("over {}", format::clock(-over)).red()],
                };
                (phase, clock)
            }
            IncidentStatus::Resolved => {
                let took = incident.offset_s.map(|took| format!("in {}", format::clock(took)));
                (painted!["RESOLVED".green()], painted![took.unwrap_or_default()])
            }
            IncidentStatus::Cancelled => (painted!["CANCELLED".red()], Painted::default()),
        };
        let cost = incident.cost.as_ref().zip(incident.cost_at(now));
        let metrics = incident.metrics.iter().map(|(name, value)| {
            let unit = incident.units.get(name).map_or_else(String::new, |unit| visible(unit).into_owned());
            format!("{} {}", visible(name).replace('_', " "), format::metric(*value, &unit))
        });
        Parts {
            incident: visible(&incident.id).into_owned(),
            phase,
            clock,
            cost: cost.map(|(cost, total)| format::money(&cost.currency, total)).unwrap_or_default(),
            metrics: metrics.collect(),
        }
    }

    /// Whether there is a footer.
    pub(super) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
