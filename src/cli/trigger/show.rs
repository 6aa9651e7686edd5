//! What a way to show the progress of an incident has to do.

use std::time::Duration;

use jiff::Timestamp;

use crate::report::IncidentState;

/// A way to show the progress of an incident.
pub(super) trait Show {
    /// Called after each event.
    fn event(&mut self, incident: &IncidentState);
    /// Called several times per second.
    fn tick(&mut self, incident: &IncidentState, now: Timestamp);
    /// Called several times per second while there is no connection: with what is waited for, and since when.
    fn waiting(&mut self, url: &str, since: Duration);
    /// Shows a note about the connection.
    fn note(&mut self, text: &str);
    /// Called when no more events are shown. Only an incident that was resolved has finished its last phase.
    fn end(&mut self, ending: Ending);
}

/// Why no more events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Resolved,
    Cancelled,
    /// The incident goes on.
    Left,
}
