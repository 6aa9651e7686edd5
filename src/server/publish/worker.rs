//! The task that stores what is published.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::drills;
use super::elsewhere::Elsewhere;
use super::far::{self, Far};
use super::gather::{self, Gathered, Gatherer};
use super::known::{Known, Subject, Unread};
use super::others::Others;
use super::recent::Recent;
use super::steps::{Group, Step, Steps, of_events, refused, reused};
use super::waiting::{Mode, Outcome, Placed, Request, Waiting, refusal, stopping};
use crate::contract::can_be_now;
use crate::ingest::{Fault, Kind, Refused, Sound};
use crate::journal::{Appended, Batch, Journal, JournalError, Key, KeyedEvent, Place, Record};
use crate::log_limiter::limited;
use crate::player::Player;

/// The most incidents of publishers that are open at the same time.
const MAX_OPEN: usize = 10_000;

/// How often a request is judged by itself because its incidents have changed meanwhile.
const TRIES: u32 = 8;

/// Appends what is published.
pub(super) struct Worker {
    journal: Journal,
    player: Player,
    elsewhere: Arc<Elsewhere>,
    others: Others,
    known: Known,
    recent: Recent,
    /// How many incidents without a plan are open; `None` before they are counted.
    open: Option<usize>,
    /// Takes what is to be judged again.
    again: UnboundedSender<Waiting>,
    /// Takes what waits until its incidents are read.
    far: UnboundedSender<Far>,
}

impl Worker {
    pub(super) fn new(
        journal: Journal,
        player: Player,
        elsewhere: Arc<Elsewhere>,
        again: UnboundedSender<Waiting>,
        far: UnboundedSender<Far>,
    ) -> Self {
        let (known, recent) = (Known::default(), Recent::default());
        Self { journal, player, elsewhere, others: Others::default(), known, recent, open: None, again, far }
    }

    /// Stores what is gathered, until the server stops.
    pub(super) async fn run(mut self, gatherer: Gatherer) {
        while let Some(Gathered { requests, stored, as_of, .. }) = gatherer.next().await {
            self.recent.forget(as_of);
            let (requests, stored) = self.near(requests, stored).await;
            let (requests, replies): (Vec<_>, Vec<_>) =
                requests.into_iter().map(|waiting| (waiting.request, (waiting.reply, waiting.held))).unzip();
            let outcomes = if requests.is_empty() { Vec::new() } else { self.store(&requests, stored).await };
            for ((request, (reply, held)), outcome) in requests.into_iter().zip(replies).zip(outcomes) {
                // The client may be gone, or the server stops.
                match outcome {
                    Some(outcome) => drop(reply.send(outcome)),
                    None => drop(self.again.send(Waiting { request, reply, held, read: Unread::new() })),
                }
            }
            self.known.trim();
        }
    }

    /// The requests whose incidents are known, or known soon; the others are sent to where they are read.
    async fn near(
        &mut self,
        mut requests: Vec<Waiting>,
        stored: Vec<Option<KeyedEvent>>,
    ) -> (Vec<Waiting>, Vec<Option<KeyedEvent>>) {
        for waiting in &mut requests {
            self.known.learn(std::mem::take(&mut waiting.read));
        }
        self.take_note();
        let subjects = requests.iter().flat_map(|waiting| waiting.request.subjects());
        match self.known.far(&self.journal, subjects).await {
            Ok(far) => far::set_aside(requests, stored, &far, &self.far),
            // Whoever stores them meets the error, too.
            Err(_) => (requests, stored),
        }
    }

    /// What other parts of this server have stored since the last time is to be read.
    fn take_note(&mut self) {
        for (subject, after) in self.elsewhere.take() {
            self.known.falls_behind(&subject, after);
            self.open = None;
        }
    }

    /// Stores the events of several requests with one append. If the journal refuses that, one request at a time.
    /// `stored` has for each sound event the one that is stored under its name. `None` for a request that is to be judged again.
    async fn store(&mut self, requests: &[Request], stored: Vec<Option<KeyedEvent>>) -> Vec<Option<Outcome>> {
        match self.append(requests, stored).await {
            Ok(outcomes) => outcomes,
            Err(error) if error.is_temporary() => {
                limited!(warn, "published events cannot be stored", %error);
                requests.iter().map(|_| Some(Err(refusal(&error)))).collect()
            }
            Err(_) => {
                // An incident has got events that the worker did not know, such as its cancellation.
                let mut outcomes = Vec::with_capacity(requests.len());
                for request in requests {
                    outcomes.push(self.store_one(request).await);
                }
                outcomes
            }
        }
    }

    /// Stores the events of one request.
    async fn store_one(&mut self, request: &Request) -> Option<Outcome> {
        let requests = std::slice::from_ref(request);
        let mut tries = 0;
        loop {
            let stored = match gather::stored(&self.journal, requests.iter()).await {
                Ok(stored) => stored,
                Err(error) => return Some(Err(refusal(&error))),
            };
            tries += 1;
            match self.append(requests, stored).await {
                Ok(mut outcomes) => return outcomes.pop().unwrap_or_else(|| Some(Err(stopping()))),
                // It has got other events again while it was judged.
                Err(
                    JournalError::Ended { .. } | JournalError::KeyReused { .. } | JournalError::Moved { .. },
                ) if tries < TRIES => {
                    // What was read since does not explain it.
                    if tries > 1 {
                        self.known.forget(request.subjects());
                    }
                }
                Err(error) => {
                    limited!(warn, "published events cannot be stored", %error);
                    return Some(Err(refusal(&error)));
                }
            }
        }
    }

    async fn append(
        &mut self,
        requests: &[Request],
        stored: Vec<Option<KeyedEvent>>,
    ) -> Result<Vec<Option<Outcome>>, JournalError> {
        let subjects = || requests.iter().flat_map(Request::subjects);
        // What is judged here and stored must be one step for the others.
        let _turn = self.elsewhere.turn().await;
        let as_of = self.journal.extent().head;
        self.take_note();
        for (subject, after) in self.others.changed(&self.journal).await? {
            self.known.falls_behind(&subject, after);
            self.open = None;
        }
        self.known.load(&self.journal, subjects()).await?;
        if self.open.is_none() {
            self.open = Some(self.journal.open_without_plan().await?.len());
        }
        // On another server, something may be stored between this and the append.
        let expected = self.known.indexes(subjects());
        let open = self.open;
        let mut group = self.judge(requests, stored);
        if group.unfit {
            // The keys were looked up before the incidents were read. Meanwhile another server may have stored the same
            // event, which then seems not to fit. These keys are newer than the incidents.
            self.known.restore(group.undo);
            self.open = open;
            let stored = gather::stored(&self.journal, requests.iter()).await?;
            group = self.judge(requests, stored);
        }
        let Group { records, steps, undo, .. } = group;
        let appended = if records.is_empty() {
            Vec::new()
        } else {
            match self.journal.append(Batch { records, expected, term: None }).await {
                Ok(appended) => appended,
                Err(error) => {
                    self.open = None;
                    self.known.take_back(undo, as_of, subjects(), &error);
                    return Err(error);
                }
            }
        };
        self.known.has_stored(&appended);
        self.others.stored(&appended);
        let mut outcomes = Vec::with_capacity(steps.len());
        for (Request { events, mode, .. }, steps) in requests.iter().zip(steps) {
            outcomes.push(match steps {
                Some(Ok(steps)) => Some(self.finish(events, steps, *mode, &appended).await),
                Some(Err(refused)) => Some(Err(refused)),
                None => None,
            });
        }
        Ok(outcomes)
    }

    /// Judges the events of several requests. `stored` has for each sound event the one that is stored under its name.
    fn judge(&mut self, requests: &[Request], stored: Vec<Option<KeyedEvent>>) -> Group {
        let (mut group, mut stored) = (Group::default(), stored.into_iter());
        let mut first_of_key = HashMap::new();
        for request in requests {
            let steps = self.request(request, &mut stored, &mut group, &mut first_of_key);
            group.steps.push(steps);
        }
        group
    }

    /// Judges the events of one request, and adds their records to the group. In [`Mode::Together`] it adds all or none. `None`, and
    /// nothing is added, if an event does not fit and other servers may have stored what it follows.
    fn request<'a>(
        &mut self,
        request: &'a Request,
        stored: &mut impl Iterator<Item = Option<KeyedEvent>>,
        group: &mut Group,
        first_of_key: &mut HashMap<(&'a str, &'a str), (usize, [u8; 32])>,
    ) -> Option<Result<Steps, Refused>> {
        let Request { events, mode, is_final } = request;
        let (mut additions, mut drill, mut is_doubtful) = (Vec::new(), None, false);
        let (records, open) = (group.records.len(), self.open);
        let mut undo: HashMap<&str, Subject> = HashMap::new();
        let (mut keys, mut added) = (Vec::new(), HashMap::new());
        let mut steps = Vec::with_capacity(events.len());
        for event in events {
            let sound = match event {
                Ok(sound) => sound,
                Err(faults) => {
                    steps.push(Step::Refused(faults.clone()));
                    continue;
                }
            };
            let (event, digest) = (sound.event(), sound.digest());
            let key = (event.source.as_str(), event.id.as_str());
            let stored = stored.next().flatten().or_else(|| self.recent.get(event));
            if stored.is_none()
                && let Some((number, before)) = added.get(&key)
            {
                steps.push(if *before == digest {
                    Step::Addition { number: *number, repeats: true }
                } else {
                    Step::Refused(vec![reused(sound)])
                });
                continue;
            }
            steps.push(match (stored, first_of_key.get(&key)) {
                (Some(before), _) if before.is_repeated_by(&digest) => {
                    Step::Stored(Placed { position: before.position, index: before.index, duplicate: true })
                }
                (None, Some((record, before))) if *before == digest => {
                    Step::Record { number: *record, repeats: true }
                }
                (None, None) if matches!(self.known.get_mut(&event.subject), Some(Subject::Played)) => {
                    let other = group.records.len() > records
                        || drill.as_ref().is_some_and(|id| *id != event.subject);
                    match drills::addition(sound, other) {
                        Ok(addition) => {
                            drill = Some(event.subject.clone());
                            added.insert(key, (additions.len(), digest));
                            additions.push(addition);
                            Step::Addition { number: additions.len() - 1, repeats: false }
                        }
                        Err(faults) => Step::Refused(faults),
                    }
                }
                (None, None) if drill.is_some() => Step::Refused(vec![drills::apart()]),
                (None, None) => match self.next(sound, &mut undo) {
                    Ok(record) => {
                        first_of_key.insert(key, (group.records.len(), digest));
                        keys.push(key);
                        group.records.push(record);
                        Step::Record { number: group.records.len() - 1, repeats: false }
                    }
                    Err(faults) => {
                        group.unfit = true;
                        // Nothing that other servers store changes that an incident has ended.
                        let is_over = faults.iter().all(|fault| fault.kind == Kind::IncidentClosed);
                        is_doubtful |= !is_final && !is_over;
                        Step::Refused(faults)
                    }
                },
                _ => Step::Refused(vec![reused(sound)]),
            });
        }
        let is_refused = steps.iter().any(|step| matches!(step, Step::Refused(_)));
        if !is_doubtful && (*mode == Mode::Each || !is_refused) {
            for (subject, as_it_was) in undo {
                group.undo.entry(subject.to_owned()).or_insert(as_it_was);
            }
            return Some(Ok(Steps { answers: steps, drill, additions }));
        }
        group.records.truncate(records);
        self.open = open;
        for key in keys {
            first_of_key.remove(&key);
        }
        self.known.restore(undo.into_iter().map(|(subject, as_it_was)| (subject.to_owned(), as_it_was)));
        if is_doubtful {
            return None;
        }
        Some(Err(refused(steps)))
    }

    /// Adds what a request adds to a drill, and gives the places of its events. What is new is remembered for the requests that
    /// are gathered already.
    async fn finish(
        &mut self,
        events: &[Result<Sound, Vec<Fault>>],
        steps: Steps,
        mode: Mode,
        appended: &[Appended],
    ) -> Outcome {
        let Steps { answers, drill, additions } = steps;
        let added = match drill {
            Some(id) => {
                let added = drills::add(&self.player, &id, additions, mode).await;
                added.map_err(|refused| of_events(refused, &answers))?
            }
            None => Vec::new(),
        };
        // The journal answers for each record.
        let missing = || Refused::whole(Kind::JournalPaused, "the journal has given no position");
        let mut placed = Vec::with_capacity(answers.len());
        for (event, step) in events.iter().zip(answers) {
            let (appended, repeats) = match step {
                Step::Stored(before) => {
                    placed.push(Ok(before));
                    continue;
                }
                Step::Refused(faults) => {
                    placed.push(Err(faults));
                    continue;
                }
                Step::Record { number, repeats } => (appended.get(number), repeats),
                Step::Addition { number, repeats } => match added.get(number) {
                    Some(Err(faults)) => {
                        placed.push(Err(faults.clone()));
                        continue;
                    }
                    added => (added.and_then(|added| added.as_ref().ok()), repeats),
                },
            };
            let Appended { position, index, new } = *appended.ok_or_else(missing)?;
            if let Ok(sound) = event
                && !repeats
            {
                self.recent.insert(sound.event(), KeyedEvent { position, index, digest: sound.digest() });
                if !new {
                    // It was judged as if it were not there.
                    self.known.forget([sound.event().subject.as_str()]);
                    self.open = None;
                }
            }
            placed.push(Ok(Placed { position, index, duplicate: repeats || !new }));
        }
        Ok(placed)
    }

    /// The record of a new event, if it fits its incident.
    fn next<'a>(
        &mut self,
        sound: &'a Sound,
        undo: &mut HashMap<&'a str, Subject>,
    ) -> Result<Record, Vec<Fault>> {
        let (event, digest) = (sound.event(), sound.digest());
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
        let now = Some(self.journal.clock().now()).filter(|now| can_be_now(*now));
        let ahead = now.map(|_| self.journal.ahead_in(subject)).unwrap_or_default();
        let data = incident.accept(sound, now.unwrap_or(event.time), ahead)?;
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
