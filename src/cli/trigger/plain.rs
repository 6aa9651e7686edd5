//! Progress in a pipe: a line a phase on stderr.

use jiff::Timestamp;

use super::Show;
use crate::cli::format;
use crate::report::IncidentState;

/// One line when a phase begins and one when it ends with what came of it.
pub(super) struct Plain {
    silent: bool,
    phase: Option<String>,
    last: Option<String>,
}

impl Plain {
    pub(super) fn new() -> Self {
        Self { silent: false, phase: None, last: None }
    }

    pub(super) fn silent() -> Self {
        Self { silent: true, ..Self::new() }
    }

    fn say(&self, text: &str) {
        if !self.silent {
            eprintln!("{text}");
        }
    }

    fn leave_phase(&mut self) {
        if let Some(line) = self.last.take() {
            self.say(&line);
        }
    }
}

impl Show for Plain {
    fn event(&mut self, incident: &IncidentState) {
        if self.phase.is_none() {
            let severity = incident.severity.map_or("", |severity| severity.as_str());
            self.say(&format!("{}  {severity}  {}", incident.id, incident.title));
        }
        if self.phase != incident.phase {
            self.leave_phase();
            self.phase.clone_from(&incident.phase);
        }
        let (Some(phase), Some(now)) = (&incident.phase, &incident.now) else { return };
        let agent = incident.agents.iter().find(|agent| agent.id == now.agent);
        if let Some(agent) = agent.filter(|agent| agent.since_s == Some(incident.offset_s)) {
            let at = format::clock(incident.offset_s);
            let percent = format::percent(agent.confidence);
            self.last = Some(format!("{phase:<9} {at}  {percent}  {}", now.summary));
        }
    }

    fn tick(&mut self, _: &IncidentState, _: Timestamp) {}

    fn note(&mut self, text: &str) {
        self.say(&format!("-- {text} --"));
    }

    fn end(&mut self) {
        self.leave_phase();
    }
}
