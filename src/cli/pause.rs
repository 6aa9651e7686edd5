//! A server that publishes no events, as its heartbeats say: it is there, and what it plays stands still.

use crate::contract::{Heartbeat, ServerState};

/// Why the server publishes no events; nothing while it does.
#[derive(Debug, Default)]
pub(super) struct Pause(Option<String>);

impl Pause {
    /// Takes what a heartbeat says. Returns what has yet to be told.
    pub(super) fn beats(&mut self, heartbeat: &Heartbeat) -> Option<String> {
        let reason = || heartbeat.reason.clone().unwrap_or_else(|| "it does not say why".to_owned());
        let now = (heartbeat.state == ServerState::Paused).then(reason);
        if now == self.0 {
            return None;
        }
        self.0 = now;
        Some(match &self.0 {
            Some(reason) => format!("the server publishes no events: {reason}"),
            None => "the server publishes events again".to_owned(),
        })
    }

    /// Whether it publishes none.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let beat = |state, reason: Option<&str>| Heartbeat {
            stream: "S".to_owned(),
            head: 1,
            state,
            reason: reason.map(str::to_owned),
        };
        let mut pause = Pause::default();
        assert_eq!(pause.beats(&beat(ServerState::Playing, None)), None);
        let told = pause.beats(&beat(ServerState::Paused, Some("the disk is full")));
        assert_eq!(told.as_deref(), Some("the server publishes no events: the disk is full"));
        assert_eq!(pause.beats(&beat(ServerState::Paused, Some("the disk is full"))), None);
        assert!(pause.is_on());
        let told = pause.beats(&beat(ServerState::Playing, None));
        assert_eq!(told.as_deref(), Some("the server publishes events again"));
        assert!(!pause.is_on());
    }
}
