//! The fold as it is written down: everything that a server knows of the events up to a position.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::super::clock::Moment;
use super::super::super::record::KeyedEvent;
use super::super::message::PlanMark;
use super::{Fold, Incident};

/// With other contents it gets another number, and servers of other versions read the whole stream.
const FORMAT: u32 = 1;

/// What is written down.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Snapshot {
    format: u32,
    /// The name of the stream as clients know it.
    pub(in super::super) stream: String,
    pub(in super::super) oldest: u64,
    pub(in super::super) head: u64,
    /// The chain at `head`.
    pub(in super::super) chain: u64,
    newest_us: Option<i64>,
    incidents: Vec<Known>,
    /// The events from the oldest one on: an incident's place in `incidents`, and how many follow each other.
    runs: Vec<(usize, usize)>,
    keys: Vec<Keyed>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    subject: String,
    start: u64,
    /// Index of its first kept event.
    first: u64,
    last_us: i64,
    end: Option<u64>,
    plan: Option<(usize, String)>,
}

/// The key of an event: position, index, source, id, digest.
#[derive(Debug, Serialize, Deserialize)]
struct Keyed(u64, u64, String, String, String);

impl Fold {
    /// Everything up to the head; `None` if publishers have named more events than `most_keys`.
    pub(in super::super) fn snapshot(&self, stream: &str, most_keys: usize) -> Option<Snapshot> {
        if self.keyed.len() > most_keys {
            return None;
        }
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(self.incidents.len());
        let (mut incidents, mut runs) =
            (Vec::with_capacity(self.incidents.len()), Vec::<(usize, usize)>::new());
        for subject in &self.kept {
            let place = match places.get(&**subject) {
                Some(place) => *place,
                None => {
                    let known = self.incidents.get(subject)?;
                    places.insert(subject, incidents.len());
                    incidents.push(known.written(subject));
                    incidents.len() - 1
                }
            };
            match runs.last_mut() {
                Some((last, many)) if *last == place => *many += 1,
                _ => runs.push((place, 1)),
            }
        }
        let keys = self.keyed.iter().filter_map(|(position, name)| {
            let event = self.keys.get(name)?;
            let (source, id) = name.clone();
            Some(Keyed(*position, event.index, source, id, BASE64.encode(&event.digest)))
        });
        Some(Snapshot {
            format: FORMAT,
            stream: stream.to_owned(),
            oldest: self.oldest(),
            head: self.head,
            chain: self.chain,
            newest_us: self.newest_us,
            incidents,
            runs,
            keys: keys.collect(),
        })
    }

    /// The fold that was written down; `None` if it does not agree with itself.
    pub(in super::super) fn restore(snapshot: Snapshot) -> Option<Self> {
        let Snapshot { format, oldest, head, chain, newest_us, incidents, runs, keys, .. } = snapshot;
        let many = runs.iter().try_fold(0_usize, |sum, (_, many)| sum.checked_add(*many))?;
        let wanted = usize::try_from(head.checked_add(1)?.checked_sub(oldest)?).ok()?;
        if format != FORMAT || oldest == 0 || many != wanted || many == 0 {
            return None;
        }
        let mut known = incidents.into_iter().map(Known::read).collect::<Option<Vec<_>>>()?;
        let mut kept = VecDeque::with_capacity(many);
        let mut position = oldest;
        for (place, many) in runs {
            let (subject, incident) = known.get_mut(place)?;
            for _ in 0..many {
                incident.positions.push_back(position);
                kept.push_back(Arc::clone(subject));
                position += 1;
            }
        }
        let mut fold = Self { head, chain, begun: true, newest_us, kept, ..Self::default() };
        for (subject, mut incident) in known {
            let (oldest, newest) = (*incident.positions.front()?, *incident.positions.back()?);
            let begins = incident.first == 1;
            if begins != (incident.start == oldest) || incident.end.is_some_and(|end| end != newest) {
                return None;
            }
            if incident.end.is_some() || !begins {
                // As if its first event had not been read.
                incident.plan = None;
            } else {
                fold.open.insert(incident.start, Arc::clone(&subject));
            }
            if fold.incidents.insert(subject, incident).is_some() {
                return None;
            }
        }
        for Keyed(position, index, source, id, digest) in keys {
            let digest = BASE64.decode(digest.as_bytes()).ok()?.try_into().ok()?;
            let name = (source, id);
            let subject = fold.kept.get(usize::try_from(position.checked_sub(oldest)?).ok()?)?;
            if fold.position(subject, index) != Some(position) {
                return None;
            }
            fold.keys.insert(name.clone(), KeyedEvent { position, index, digest });
            fold.keyed.push_back((position, name));
        }
        Some(fold)
    }
}

impl Incident {
    fn written(&self, subject: &str) -> Known {
        Known {
            subject: subject.to_owned(),
            start: self.start,
            first: self.first,
            last_us: self.last.time.as_microsecond(),
            end: self.end,
            plan: self.plan.as_ref().map(|plan| (plan.parts, plan.digest.clone())),
        }
    }
}

impl Known {
    fn read(self) -> Option<(Arc<str>, Incident)> {
        let time = Timestamp::from_microsecond(self.last_us).ok()?;
        if self.first == 0 {
            return None;
        }
        let incident = Incident {
            start: self.start,
            first: self.first,
            positions: VecDeque::new(),
            last: Moment { time, steady: std::time::Duration::ZERO },
            begun: None,
            end: self.end,
            plan: self.plan.map(|(parts, digest)| PlanMark { parts, digest }),
        };
        Some((Arc::from(self.subject), incident))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests;
