//! What a way to show the progress of an incident has to do.

use jiff::Timestamp;

use crate::report::IncidentState;

/// A way to show the progress of an incident.
pub(super) trait Show {
    /// Called after each event.
    fn event(&mut self, incident: &IncidentState);
    /// Called several times per second.
    fn tick(&mut self, incident: &IncidentState, now: Timestamp);
    /// Shows a note about the connection.
    fn note(&mut self, text: &str);
    /// Called when no more events are shown.
    fn end(&mut self);
}
