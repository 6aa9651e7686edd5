//! Progress in a pipe: one line per phase on stderr.

use std::time::Duration;

use jiff::Timestamp;

use super::moments::{Moment, Moments};
use super::show::{Ending, Show};
use crate::cli::fit;
use crate::cli::out::{Painted, painted, say};
use crate::report::IncidentState;
use crate::visible::visible;

/// Prints a title, then a line for each phase when it ends.
pub(super) struct Plain {
    silent: bool,
    begun: bool,
    moments: Moments,
}

impl Plain {
    pub(super) fn new() -> Self {
        Self { silent: false, begun: false, moments: Moments::default() }
    }

    pub(super) fn silent() -> Self {
        Self { silent: true, ..Self::new() }
    }

    fn say(&self, line: &Painted) {
        if !self.silent {
            say(line);
        }
    }

    fn say_of(&self, phase: &str, what: &Painted) {
        self.say(&painted![fit::at_least(&visible(phase), 9), " ", what].trimmed());
    }

    fn say_phase(&self, ended: Option<(String, Option<Moment>)>) {
        if let Some((phase, moment)) = ended {
            self.say_of(&phase, &moment.map(|moment| moment.line()).unwrap_or_default());
        }
    }
}

impl Show for Plain {
    fn event(&mut self, incident: &IncidentState) {
        if !std::mem::replace(&mut self.begun, true) {
            let severity = incident.severity.map_or("", |severity| severity.as_str());
            self.say(&painted![incident.id, "  ", severity, "  ", incident.title]);
        }
        let (_, ended) = self.moments.take(incident);
        self.say_phase(ended);
    }

    fn tick(&mut self, _: &IncidentState, _: Timestamp) {}

    fn waiting(&mut self, _: &str, _: Duration) {}

    fn note(&mut self, text: &str) {
        self.say(&painted!["-- ", text, " --"]);
    }

    fn end(&mut self, ending: Ending) {
        let Some((phase, moment)) = self.moments.end() else { return };
        match ending {
            Ending::Resolved => self.say_phase(Some((phase, moment))),
            Ending::Cancelled => self.say_of(&phase, &painted!["cancelled"]),
            Ending::Left => self.say_of(&phase, &painted!["not finished"]),
        }
    }
}
