//! The subjects of a journal's two streams.

/// The subjects of one journal.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// The stream with the events.
    pub(super) events: String,
    /// The stream with the lease and the plans.
    pub(super) control: String,
}

impl Names {
    pub(super) fn of(stream: &str) -> Self {
        Self { events: stream.to_owned(), control: format!("{stream}_ctl") }
    }

    /// Every subject of the events.
    pub(super) fn all_events(&self) -> String {
        format!("incident.{}.ev.*", self.events)
    }

    /// The subject of an incident's events.
    pub(super) fn incident(&self, subject: &str) -> String {
        format!("incident.{}.ev.{}", self.events, token(subject))
    }

    /// Where a process announces how far its appends have brought the stream.
    pub(super) fn live(&self) -> String {
        format!("incident.{}.live.head", self.events)
    }

    /// Every subject of the second stream.
    pub(super) fn all_control(&self) -> String {
        format!("incident.{}.ctl.>", self.events)
    }

    pub(super) fn lease(&self) -> String {
        format!("incident.{}.ctl.lease", self.events)
    }

    /// How far retention has gone.
    pub(super) fn kept(&self) -> String {
        format!("incident.{}.ctl.kept", self.events)
    }

    /// The subject of a part of a plan. Two servers that start an incident under one name don't overwrite each other's plan.
    pub(super) fn plan_part(&self, subject: &str, digest: &str, part: usize) -> String {
        let digest = digest.get(..16).unwrap_or(digest);
        format!("incident.{}.ctl.plan.{}.{digest}.{part}", self.events, token(subject))
    }

    /// Every part of every plan of an incident.
    pub(super) fn plans(&self, subject: &str) -> String {
        format!("incident.{}.ctl.plan.{}.>", self.events, token(subject))
    }

    /// Every part of every plan.
    pub(super) fn all_plans(&self) -> String {
        format!("incident.{}.ctl.plan.>", self.events)
    }

    /// That the events of an incident are gone, so that its id is not used again.
    pub(super) fn over(&self, subject: &str) -> String {
        format!("incident.{}.ctl.over.{}", self.events, token(subject))
    }

    /// What the newest checkpoint is.
    pub(super) fn checkpoint(&self) -> String {
        format!("incident.{}.ctl.checkpoint", self.events)
    }

    /// A part of a checkpoint, of which there are two.
    pub(super) fn checkpoint_part(&self, place: u8, part: usize) -> String {
        format!("incident.{}.ctl.checkpoint.{place}.{part}", self.events)
    }

    /// What all processes are to know.
    pub(super) fn note(&self, name: &str) -> String {
        format!("incident.{}.ctl.note.{}", self.events, token(name))
    }

    pub(super) fn all_notes(&self) -> String {
        format!("incident.{}.ctl.note.*", self.events)
    }

    pub(super) fn all_over(&self) -> String {
        format!("incident.{}.ctl.over.*", self.events)
    }
}

/// An incident's id as one token of a subject: what can't stand in one is written as `=` and two hexadecimal digits.
fn token(subject: &str) -> String {
    let mut token = String::with_capacity(subject.len());
    for byte in subject.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            token.push(char::from(byte));
        } else {
            token.push_str(&format!("={byte:02X}"));
        }
    }
    // A token can't be empty.
    if token.is_empty() { "=".to_owned() } else { token }
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn every_id_is_one_token_and_no_two_are_the_same() {
        let ids = ["", "a", "database-outage-x7k2p", "a.b", "a=2Eb", "*", ">", "a b", "ü"];
        let tokens: std::collections::BTreeSet<String> = ids.iter().map(|id| token(id)).collect();
        assert_eq!(tokens.len(), ids.len());
        assert!(tokens.iter().all(|token| !token.is_empty() && !token.contains(['.', '*', '>', ' '])));
        assert_eq!(token("a.b"), "a=2Eb");
        assert_eq!(token("database-outage-x7k2p"), "database-outage-x7k2p");
    }
}
