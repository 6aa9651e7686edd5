//! Which incident an alert belongs to: the sender's group or the labels of `group_by`, unless it fires in another one; and whether
//! it is of a drill.

use jiff::Timestamp;

use super::alert::{Alert, Delivery, Labels};
use super::described::{Kind, Receiver};
use super::since;
use super::state::{LATE, State, digest_of};

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
    pub(super) fn key_of(
        &self,
        receiver: &Receiver,
        delivery: &Delivery,
        alert: &Alert,
        now: Timestamp,
    ) -> Key {
        let own = own(receiver, delivery, alert);
        if self.fires_in(&own.digest, alert) {
            return own;
        }
        // Its own key has the labels that name it.
        let other = self.home_of(receiver, alert, now).filter(|home| home.digest != own.digest);
        other.unwrap_or(own)
    }

    /// The key of the open incident in which an alert fires, whatever the receiver does with such alerts now.
    pub(super) fn open_home_of(&self, receiver: &Receiver, alert: &Alert, now: Timestamp) -> Option<Key> {
        self.home_of(receiver, alert, now).filter(|key| self.fires_in(&key.digest, alert))
    }

    /// Whether the alert fires in the open incident of this key.
    fn fires_in(&self, digest: &str, alert: &Alert) -> bool {
        let group = self.groups.get(digest).filter(|group| group.is_open);
        group.and_then(|group| group.alerts.get(&alert.fingerprint)).is_some_and(|known| known.firing)
    }

    /// The key under which the receiver has told of an alert before, if what is told now is about the same firing, or about an
    /// incident that is open.
    fn home_of(&self, receiver: &Receiver, alert: &Alert, now: Timestamp) -> Option<Key> {
        let home = |is_drill| self.home_among(receiver, alert, is_drill, now);
        // PagerDuty's clients resolve an alert by its key alone. Otherwise a real alert is never a part of a drill.
        if receiver.kind == Kind::PagerDuty && !alert.firing {
            let firing = |key: &Key| self.fires_in(&key.digest, alert);
            return home(false).filter(firing).or_else(|| home(true).filter(firing)).or_else(|| home(false));
        }
        home(receiver.is_drill(alert))
    }

    fn home_among(&self, receiver: &Receiver, alert: &Alert, is_drill: bool, now: Timestamp) -> Option<Key> {
        let digest = self.homes.of(&receiver.name, &alert.fingerprint, is_drill)?;
        let group = self.groups.get(digest)?;
        let is_told = group.is_open && group.alerts.contains_key(&alert.fingerprint);
        let known = group.known(&alert.fingerprint)?;
        // The incident was cancelled while the alert fires, or one of two senders is behind the other.
        let is_same = since::compare(alert.starts_at, known, now).is_le()
            && (known.firing || now.duration_since(known.changed) <= LATE);
        let is_repeat = is_same && receiver.kind != Kind::PagerDuty;
        let key = Key { digest: digest.to_owned(), labels: Labels::new(), is_drill };
        (is_told || is_repeat).then_some(key)
    }
}

/// The key by the sender's group, or by the labels of `group_by`.
fn own(receiver: &Receiver, delivery: &Delivery, alert: &Alert) -> Key {
    let is_drill = receiver.is_drill(alert);
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
