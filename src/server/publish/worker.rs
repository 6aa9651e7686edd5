//! The task that stores what is published.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::drills;
use super::elsewhere::Elsewhere;
use super::known::{Known, Subject};
use super::waiting::{Mode, Outcome, Placed, Waiting, numbered, stopping};
use crate::contract::can_be_now;
use crate::ingest::{Fault, Incoming, Kind, Refused};
use crate::journal::{Appended, Journal, JournalError, Key, KeyedEvent, Place, Record};
use crate::log_limiter::limited;
use crate::player::{Addition, Player};

/// The most events that are appended together, unless one request has more.
const EVENTS: usize = 1_024;

/// The most incidents of publishers that are open at the same time.
const MAX_OPEN: usize = 10_000;

/// Appends what is published.
pub(super) struct Worker {
    journal: Journal,
    player: Player,
    stop: CancellationToken,
    elsewhere: Arc<Elsewhere>,
    known: Known,
    /// How many incidents without a plan are open; `None` before they are counted.
    open: Option<usize>,
}

/// What is to be answered for one event.
enum Step {
    /// The record with this number in the batch, which may be that of an earlier event.
    Record {
        number: usize,
        repeats: bool,
    },
    /// The action with this number among those that the request adds to a drill.
    Addition(usize),
    /// It is stored already.
    Stored(Placed),
    Refused(Vec<Fault>),
}

/// The records of several requests, and what is to be answered for each of their events.
#[derive(Default)]
struct Group {
    records: Vec<Record>,
    steps: Vec<Result<Steps, Refused>>,
}

/// What is to be answered for the events of a request, and the actions that it adds to a drill.
#[derive(Default)]
struct Steps {
    answers: Vec<Step>,
    drill: Option<String>,
    additions: Vec<Addition>,
}

impl Worker {
    pub(super) fn new(
        journal: Journal,
        player: Player,
        stop: CancellationToken,
        elsewhere: Arc<Elsewhere>,
    ) -> Self {
        Self { journal, player, stop, elsewhere, known: Known::default(), open: None }
    }

    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Waiting>) {
        loop {
            let first = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                first = requests.recv() => first,
            };
            let Some(first) = first else { return };
            let mut events = first.events.len();
            let mut group = vec![first];
            while events < EVENTS
                && let Ok(next) = requests.try_recv()
            {
                events += next.events.len();
                group.push(next);
            }
            let (group, replies): (Vec<_>, Vec<_>) = group
                .into_iter()
                .map(|waiting| ((waiting.events, waiting.mode), (waiting.reply, waiting.held)))
                .unzip();
            let outcomes = self.store(&group).await;
            for ((reply, held), outcome) in replies.into_iter().zip(outcomes) {
                // The client may be gone.
                let _ = reply.send(outcome);
                drop(held);
            }
            self.known.trim();
        }
    }

    /// Stores the events of several requests with one append. If the journal refuses that, one request at a time.
    async fn store(&mut self, requests: &[Request]) -> Vec<Outcome> {
        match self.append(requests).await {
            Ok(outcomes) => outcomes,
            Err(error) if error.is_temporary() => {
                self.forget(requests);
                limited!(warn, "published events cannot be stored", %error);
                requests.iter().map(|_| Err(refusal(&error))).collect()
            }
            Err(_) if requests.len() > 1 => {
                self.forget(requests);
                let mut outcomes = Vec::with_capacity(requests.len());
                for request in requests {
                    outcomes.extend(Box::pin(self.store(std::slice::from_ref(request))).await);
                }
                outcomes
            }
            Err(_) => {
                // The incident has got events that the worker did not know, such as its cancellation.
                self.forget(requests);
                let again = self.append(requests).await;
                again.unwrap_or_else(|error| {
                    self.forget(requests);
                    limited!(error, "the journal refuses published events", %error);
                    vec![Err(refusal(&error))]
                })
            }
        }
    }

    fn forget(&mut self, requests: &[Request]) {
        let events = requests.iter().flat_map(|(events, _)| events.iter().flatten());
        self.known.forget(events.map(|event| event.subject.as_str()));
        self.open = None;
    }

    async fn append(&mut self, requests: &[Request]) -> Result<Vec<Outcome>, JournalError> {
        let events = || requests.iter().flat_map(|(events, _)| events.iter().flatten());
        let names = events().map(|event| (event.source.clone(), event.id.clone())).collect();
        // What is judged here and stored must be one step for the others.
        let elsewhere = Arc::clone(&self.elsewhere);
        let _turn = elsewhere.turn().await;
        let mut stored = self.journal.keyed(names).await?.into_iter();
        let changed = self.elsewhere.take();
        if !changed.is_empty() {
            self.known.forget(changed.iter().map(String::as_str));
            self.open = None;
        }
        self.known.load(&self.journal, events().map(|event| event.subject.as_str())).await?;
        if self.open.is_none() {
            self.open = Some(self.journal.open_without_plan().await?.len());
        }
        let mut group = Group::default();
        let mut first_of_key = HashMap::new();
        for (events, mode) in requests {
            let steps = self.request(events, *mode, &mut stored, &mut group, &mut first_of_key);
            group.steps.push(steps);
        }
        let Group { records, steps } = group;
        let appended = if records.is_empty() { Vec::new() } else { self.journal.append(records).await? };
        let mut outcomes = Vec::with_capacity(steps.len());
        for steps in steps {
            outcomes.push(match steps {
                Ok(steps) => self.finish(steps, &appended).await,
                Err(refused) => Err(refused),
            });
        }
        Ok(outcomes)
    }

    /// Judges the events of one request, and adds their records to the group. In [`Mode::Together`] it adds all or none.
    fn request<'a>(
        &mut self,
        events: &'a [Result<Incoming, Vec<Fault>>],
        mode: Mode,
        stored: &mut impl Iterator<Item = Option<KeyedEvent>>,
        group: &mut Group,
        first_of_key: &mut HashMap<(&'a str, &'a str), (usize, [u8; 32])>,
    ) -> Result<Steps, Refused> {
        let (mut additions, mut drill) = (Vec::new(), None);
        let (records, open) = (group.records.len(), self.open);
        let mut undo: HashMap<&str, Subject> = HashMap::new();
        let mut keys = Vec::new();
        let mut steps = Vec::with_capacity(events.len());
        for event in events {
            let event = match event {
                Ok(event) => event,
                Err(faults) => {
                    steps.push(Step::Refused(faults.clone()));
                    continue;
                }
            };
            let key = (event.source.as_str(), event.id.as_str());
            let digest = event.digest();
            let stored = stored.next().flatten();
            steps.push(match (stored, first_of_key.get(&key)) {
                (Some(before), _) if before.digest == digest => {
                    Step::Stored(Placed { position: before.position, index: before.index, duplicate: true })
                }
                (None, Some((record, before))) if *before == digest => {
                    Step::Record { number: *record, repeats: true }
                }
                (None, None) if matches!(self.known.get_mut(&event.subject), Some(Subject::Played)) => {
                    let other = group.records.len() > records
                        || drill.as_ref().is_some_and(|id| *id != event.subject);
                    match drills::addition(event, digest, other) {
                        Ok(addition) => {
                            drill = Some(event.subject.clone());
                            additions.push(addition);
                            Step::Addition(additions.len() - 1)
                        }
                        Err(faults) => Step::Refused(faults),
                    }
                }
                (None, None) if drill.is_some() => Step::Refused(vec![drills::apart()]),
                (None, None) => match self.next(event, digest, &mut undo) {
                    Ok(record) => {
                        first_of_key.insert(key, (group.records.len(), digest));
                        keys.push(key);
                        group.records.push(record);
                        Step::Record { number: group.records.len() - 1, repeats: false }
                    }
                    Err(faults) => Step::Refused(faults),
                },
                _ => {
                    let detail = format!("{} was used for another event of {}", event.id, event.source);
                    Step::Refused(vec![Fault::new(Kind::IdReused, "/id", detail)])
                }
            });
        }
        if mode == Mode::Each || !steps.iter().any(|step| matches!(step, Step::Refused(_))) {
            return Ok(Steps { answers: steps, drill, additions });
        }
        group.records.truncate(records);
        self.open = open;
        for key in keys {
            first_of_key.remove(&key);
        }
        for (subject, as_it_was) in undo {
            self.known.restore(subject.to_owned(), as_it_was);
        }
        let faults = steps.into_iter().map(|step| match step {
            Step::Refused(faults) => Some(faults),
            _ => None,
        });
        Err(Refused::of(numbered(faults)))
    }

    /// Adds what a request adds to a drill, and gives the places of its events.
    async fn finish(&self, steps: Steps, appended: &[Appended]) -> Outcome {
        let Steps { answers, drill, additions } = steps;
        let added = match drill {
            Some(id) => drills::add(&self.player, &id, additions).await?,
            None => Vec::new(),
        };
        // The journal answers for each record.
        let missing = || Refused::whole(Kind::JournalPaused, "the journal has given no position");
        let placed = |step| {
            let (appended, repeats) = match step {
                Step::Stored(placed) => return Ok(Ok(placed)),
                Step::Refused(faults) => return Ok(Err(faults)),
                Step::Record { number, repeats } => (appended.get(number), repeats),
                Step::Addition(number) => (added.get(number), false),
            };
            let Appended { position, index, new } = *appended.ok_or_else(missing)?;
            Ok(Ok(Placed { position, index, duplicate: repeats || !new }))
        };
        answers.into_iter().map(placed).collect()
    }

    /// The record of a new event, if it fits its incident.
    fn next<'a>(
        &mut self,
        event: &'a Incoming,
        digest: [u8; 32],
        undo: &mut HashMap<&'a str, Subject>,
    ) -> Result<Record, Vec<Fault>> {
        let subject = event.subject.as_str();
        // It was loaded before.
        let Some(known) = self.known.get_mut(subject) else { return Err(Vec::new()) };
        undo.entry(subject).or_insert_with(|| known.clone());
        let Subject::Real(incident) = known else {
            return Err(vec![drills::apart()]);
        };
        let was_open = incident.is_open();
        let open = self.open.unwrap_or_default();
        if !was_open && incident.index() == 0 && open >= MAX_OPEN {
            let detail = format!("{MAX_OPEN} real incidents are open");
            return Err(vec![Fault::new(Kind::TooManyIncidents, "/subject", detail)]);
        }
        // A server that was started without a clock believes its publishers.
        let now = Some(self.journal.clock().now()).filter(|now| can_be_now(*now)).unwrap_or(event.time);
        let data = incident.accept(event, now)?;
        self.open = Some(match (was_open, incident.is_open()) {
            (false, true) => open + 1,
            (true, false) => open.saturating_sub(1),
            _ => open,
        });
        let key = Key { source: event.source.clone(), id: event.id.clone(), digest };
        let place = Place::Next(key);
        Ok(Record { subject: subject.to_owned(), place, kind: event.kind, data, plan: None })
    }
}

type Request = (Vec<Result<Incoming, Vec<Fault>>>, Mode);

/// Why the journal did not take an append.
fn refusal(error: &JournalError) -> Refused {
    let of = |kind, pointer: &str| Refused::of(vec![Fault::new(kind, pointer, error.to_string())]);
    match error {
        JournalError::Ended { .. } => of(Kind::IncidentClosed, "/subject"),
        JournalError::KeyReused { .. } => of(Kind::IdReused, "/id"),
        JournalError::Refused(_) => of(Kind::TooLarge, ""),
        JournalError::Unavailable(trouble) if trouble.kind() == crate::journal::TroubleKind::Stopped => {
            stopping()
        }
        _ => Refused::whole(Kind::JournalPaused, error.to_string()),
    }
}
