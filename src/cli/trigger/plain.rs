//! Progress in a pipe: one line per phase on stderr.

use jiff::Timestamp;

use super::moments::{Moment, Moments};
use super::show::Show;
use crate::cli::format;
use crate::cli::say::say;
use crate::report::IncidentState;

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

    fn say(&self, text: &str) {
        if !self.silent {
            say(text);
        }
    }

    fn say_phase(&self, ended: Option<(String, Option<Moment>)>) {
        if let Some((phase, moment)) = ended {
            self.say(
                format!("{phase:<9} {}", moment.map(|moment| moment.line()).unwrap_or_default()).trim_end(),
            );
        }
    }
}

impl Show for Plain {
    fn event(&mut self, incident: &IncidentState) {
        if !std::mem::replace(&mut self.begun, true) {
            let severity = incident.severity.map_or("", |severity| severity.as_str());
            self.say(&format!("{}  {severity}  {}", incident.id, format::plain(&incident.title)));
        }
        let (_, ended) = self.moments.take(incident);
        self.say_phase(ended);
    }

    fn tick(&mut self, _: &IncidentState, _: Timestamp) {}

    fn note(&mut self, text: &str) {
        self.say(&format!("-- {text} --"));
    }

    fn end(&mut self) {
        let ended = self.moments.end();
        self.say_phase(ended);
    }
}
