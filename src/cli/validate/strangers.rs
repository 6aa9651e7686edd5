//! Listening to a server of another program: what has to be known to cut and resume, and the resuming.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::link::{After, Dial, Opened};
use super::session::Session;
use crate::check::{Bookmark, ForeignNote, Observation, Purpose};
use crate::cli::exit::Failure;

/// How many events are remembered to resume after. If there are more, every other one is forgotten.
const REMEMBERED: usize = 512;

/// Connections resume within so many of the last events. More is not remembered for comparing.
const COMPARED: u64 = 25_000;

/// An event that is larger is not remembered: it says more of itself than anybody resumes with.
const MOST_BYTES: usize = 4 * 1024;

/// A stream that goes on while it is resumed may bring so many events more than there were.
const MORE: u64 = 100;

/// What arrived on the connections.
#[derive(Default)]
pub(super) struct Bookmarks {
    /// Events of the main connection, each with its number.
    remembered: Vec<(u64, Bookmark)>,
    /// Every how manyeth event is remembered.
    step: u64,
    /// How many events came on the main connection.
    count: u64,
    /// What makes the last event of the main connection known.
    last: Option<u64>,
    /// The same for each other client.
    twins: HashMap<u32, u64>,
}

impl Bookmarks {
    /// Takes an event of the main connection.
    pub(super) fn take(&mut self, event: ForeignNote) {
        self.last = Some(event.identity);
        self.count += 1;
        self.step = self.step.max(1);
        let Some(count) = event.count else { return };
        if (count % self.step == 0 || self.remembered.is_empty()) && event.bookmark.bytes() <= MOST_BYTES {
            self.remembered.push((count, event.bookmark));
        }
        if self.remembered.len() > REMEMBERED {
            let oldest = count.saturating_sub(COMPARED);
            self.remembered.retain(|(count, _)| *count >= oldest);
        }
        if self.remembered.len() > REMEMBERED {
            self.step *= 2;
            let step = self.step;
            let first = self.remembered[0].0;
            self.remembered.retain(|(count, _)| count % step == 0 || *count == first);
        }
    }

    /// Takes an event of another client.
    pub(super) fn take_of(&mut self, connection: u32, event: &ForeignNote) {
        self.twins.insert(connection, event.identity);
    }

    /// Whether one of so many clients has not got the last event of the main connection.
    pub(super) fn has_clients_behind(&self, twins: u32) -> bool {
        self.last.is_some_and(|last| (1..=twins).any(|number| self.twins.get(&number) != Some(&last)))
    }

    /// The events after which to resume: the first that is remembered, and two between it and the last one.
    fn points(&self) -> Vec<&(u64, Bookmark)> {
        let oldest = self.remembered.last().map_or(0, |(count, _)| count.saturating_sub(COMPARED));
        let known: Vec<_> = self.remembered.iter().filter(|(count, _)| *count >= oldest).collect();
        let mut places = vec![0, known.len() / 3, known.len() * 2 / 3];
        places.dedup();
        places.into_iter().filter_map(|place| known.get(place).copied()).collect()
    }

    /// Resumes at several points, each on a connection with a number from `number` on, and observes what comes until the last
    /// event of the main connection comes, nothing comes for `pause`, or `limit` is over.
    pub(super) async fn resume(
        &self,
        dial: &Dial,
        session: &mut Session,
        mut number: u32,
        pause: Duration,
        limit: Duration,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        for (count, bookmark) in self.points() {
            let after = After::Event(bookmark);
            if dial.subscription(&after).is_none() {
                continue;
            }
            number += 1;
            let purpose = Purpose::Resume(*count);
            let opening = dial.open_within(number, &after, limit);
            let Some(opened) = stop.run_until_cancelled(opening).await else { break };
            let mut link = match opened {
                Ok(Opened::Link(link)) => link,
                // The server has no room, or asks to come later: that says nothing about resuming.
                Ok(Opened::Refused(429 | 503, _)) => continue,
                Ok(Opened::Refused(status, _)) => {
                    session.observe(number, Instant::now(), Observation::Refused(purpose, status))?;
                    continue;
                }
                Err(why) => {
                    session.observe(number, Instant::now(), Observation::Opened(purpose.failed(why)))?;
                    continue;
                }
            };
            session.observe(number, Instant::now(), Observation::Opened(purpose))?;
            let until = Instant::now() + limit;
            let (mut heard, mut events) = (Instant::now(), 0);
            // Control messages may go on for ever.
            loop {
                let next = timeout_at(until.min(heard + pause), link.next());
                let Some(next) = stop.run_until_cancelled(next).await else {
                    session.give_up(number)?;
                    break;
                };
                let Ok(next) = next else { break };
                let is_over = matches!(next, Observation::Closed(_));
                let note = session.observe(number, Instant::now(), next)?;
                if let Some(event) = &note.foreign {
                    heard = Instant::now();
                    events += 1;
                    if Some(event.identity) == self.last || events > self.count + MORE {
                        break;
                    }
                }
                if is_over {
                    break;
                }
                // As long as there is always a next one, no time runs out above.
                if Instant::now() >= until {
                    session.cut(number, limit)?;
                    break;
                }
            }
            let _ = timeout(limit, link.close()).await;
            if stop.is_cancelled() {
                break;
            }
        }
        Ok(())
    }
}
