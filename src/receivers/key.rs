//! Which incident an alert belongs to: the sender's group or the labels of `group_by`, and whether it is of a drill.

use super::alert::{Alert, Delivery, Labels};
use super::described::{Kind, Receiver};
use super::state::{State, digest_of};

/// What alerts of one incident have in common.
pub(super) struct Key {
    /// Its digest in the incident's id.
    pub(super) digest: String,
    /// The labels that name it.
    pub(super) labels: Labels,
    /// Whether it is a drill.
    pub(super) is_drill: bool,
}

impl State {
    /// The key to which an alert belongs.
    pub(super) fn key_of(&self, receiver: &Receiver, delivery: &Delivery, alert: &Alert) -> Key {
        let is_drill = receiver.is_drill(alert);
        // PagerDuty's clients resolve an alert by its key alone.
        if receiver.kind == Kind::PagerDuty && !alert.firing {
            let mut known = self.groups.iter().filter(|(_, group)| group.receiver == receiver.name);
            let found =
                known.find(|(_, group)| group.is_open && group.alerts.contains_key(&alert.fingerprint));
            if let Some((digest, group)) = found {
                return Key { digest: digest.clone(), labels: Labels::new(), is_drill: group.is_drill };
            }
        }
        if receiver.group_by.is_empty() {
            let digest = digest_of(&receiver.name, &delivery.group, is_drill);
            return Key { digest, labels: delivery.group_labels.clone(), is_drill };
        }
        let labels = receiver.group_by.iter();
        let labels: Labels =
            labels.map(|name| (name.clone(), alert.labels.get(name).cloned().unwrap_or_default())).collect();
        let key: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        Key { digest: digest_of(&receiver.name, &key.join(","), is_drill), labels, is_drill }
    }
}
