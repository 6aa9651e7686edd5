//! A new stream as the target of a copy. Its configuration says that it is not complete, until it is: no server starts over
//! it before, and a copy that was interrupted goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::super::open_error::OpenError;
use super::super::transfer::{About, Export, Import, Item};
use super::api::{Fault, Outgoing};
use super::copies::{self, NotBegun};
use super::export::StreamExport;
use super::kept::Kept;
use super::link::Link;
use super::message::{Entry, ORIGIN, WriterMark};
use super::{over, plans};
use crate::contract::StreamId;

/// The most events and bytes that are stored together.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 1024 * 1024;

/// The ids of incidents that are over: a server keeps so many.
const OVER: usize = 10_000;

/// How often the servers are asked whether what was sent is stored.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(250);

/// A stream that is being written.
pub(in crate::journal) struct StreamImport {
    link: Link,
    stream: StreamId,
    oldest: u64,
    head: u64,
    chain: u64,
    attempts: u64,
}

/// Why something was not stored.
enum Failed {
    Fault(Fault),
    /// Something else writes into the stream, too.
    Busy,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn in_use(link: &Link) -> OpenError {
    OpenError::Held { path: link.shown.clone(), holder: "another copy that writes into it".to_owned() }
}

/// What has the streams, if they are there already.
fn not_begun(link: &Link, why: NotBegun) -> OpenError {
    match why {
        NotBegun::Failed(why) => OpenError::unusable(&link.shown, why),
        NotBegun::Busy => in_use(link),
        NotBegun::Taken(what) => match link.holder() {
            Ok(Some(holder)) => OpenError::Held { path: link.shown.clone(), holder },
            // A stream that is no journal has no lease either.
            Ok(None) | Err(_) => OpenError::Exists { path: link.shown.clone(), what: what.into() },
        },
    }
}

impl StreamImport {
    /// Creates the streams for a copy, or goes on with one that was interrupted. `of` names what is copied.
    pub(in crate::journal) fn begin(location: &Path, about: &About, of: &str) -> Result<Self, OpenError> {
        let link = Link::open(location)?;
        let found = link.wait(copies::begin(&link.api, &link.names, &link.location, about, of));
        let (stream, info) = found.map_err(|why| not_begun(&link, why))?;
        let mut import =
            Self { link, stream, oldest: about.oldest, head: about.oldest - 1, chain: ORIGIN, attempts: 0 };
        let number = |name: &str| info["state"][name].as_u64().unwrap_or_default();
        if number("messages") > 0 {
            import.go_on(number("last_seq"))?;
        }
        Ok(import)
    }

    /// Goes on behind the newest event.
    fn go_on(&mut self, last: u64) -> Result<(), OpenError> {
        let chain = self.link.wait(self.chain_at(last)).map_err(|fault| self.link.unusable(&fault))?;
        let Some((_, chain)) = chain else {
            let why = format!(
                "event {last} of the unfinished copy can't be read: delete the stream and copy again"
            );
            return Err(OpenError::unusable(&self.link.shown, why));
        };
        (self.head, self.chain) = (last, chain);
        Ok(())
    }

    async fn chain_at(&self, position: u64) -> Result<Option<(u64, u64)>, Fault> {
        let Link { api, names, .. } = &self.link;
        for _ in 0..TRIES {
            let found = api.read(&names.events, &json!({ "seq": position })).await;
            if let Ok(found) = found
                && let Some(found) = found.first().filter(|found| found.sequence == position)
            {
                let read = Entry::read(position, &found.headers, &found.payload).ok();
                return Ok(read.map(|(entry, chain)| (entry.stored.position, chain)));
            }
            sleep(AGAIN).await;
        }
        Err(Fault::Silent(format!("no server has event {position} at the moment")))
    }

    /// Stores messages behind the head, all or none. What an answer says is not believed: it is read back.
    async fn store(&mut self, messages: &[Outgoing], chain: u64) -> Result<(), Failed> {
        let wanted = self.head + messages.len() as u64;
        let mut last = Fault::Silent("nothing was stored".to_owned());
        for _ in 0..TRIES {
            self.attempts += 1;
            let id = format!("copy-{}-{}", std::process::id(), self.attempts);
            if let Err(fault) = self.link.api.publish_all(&id, messages).await {
                last = fault;
            }
            match self.link.api.info(&self.link.names.events).await {
                Ok(info) => match info["state"]["last_seq"].as_u64().unwrap_or_default() {
                    at if at >= wanted => {
                        if self.chain_at(wanted).await?.is_some_and(|(_, stored)| stored == chain) {
                            return Ok(());
                        }
                        return Err(Failed::Busy);
                    }
                    at if at > self.head => {
                        return Err(Failed::Busy);
                    }
                    _ => {}
                },
                Err(fault) => last = fault,
            }
            sleep(AGAIN).await;
        }
        Err(last.into())
    }

    async fn take_all(&mut self, items: &[Item]) -> Result<(), Failed> {
        let (mut messages, mut bytes) = (Vec::new(), 0);
        let mut chain = self.chain;
        for (place, Item { stored, start, key, plan }) in items.iter().enumerate() {
            if let Some(plan) = plan {
                plans::store(&self.link.api, &self.link.names, &stored.subject, plan).await?;
            }
            let entry = Entry {
                stored: stored.clone(),
                start: *start,
                // No server has this number.
                writer: WriterMark { node: 0, append: 0 },
                key: key.clone(),
                plan: plan.as_deref().map(plans::mark),
            };
            chain = entry.chain(chain);
            let mut headers = entry.headers(chain);
            if messages.is_empty() {
                headers.insert("Nats-Expected-Last-Sequence", self.head.to_string());
            }
            bytes += stored.data.get().len();
            let subject = self.link.names.incident(&stored.subject);
            let payload = stored.data.get().to_owned().into();
            messages.push(Outgoing { subject, headers, payload });
            if messages.len() >= BATCH || bytes >= BATCH_BYTES || place + 1 == items.len() {
                self.store(&messages, chain).await?;
                (self.head, self.chain) = (stored.position, chain);
                messages.clear();
                bytes = 0;
            }
        }
        Ok(())
    }

    fn blocking<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, OpenError> {
        let handle = self.link.handle();
        handle.block_on(work(self)).map_err(|failed| match failed {
            Failed::Fault(fault) => self.link.unusable(&fault),
            Failed::Busy => in_use(&self.link),
        })
    }
}

impl Import for StreamImport {
    fn head(&self) -> u64 {
        self.head
    }

    fn stream(&self) -> &StreamId {
        &self.stream
    }

    fn take(&mut self, items: &[Item]) -> Result<(), OpenError> {
        self.blocking(async |import| import.take_all(items).await)
    }

    fn written(&mut self, over: &[(Arc<str>, u64)]) -> Result<Box<dyn Export + '_>, OpenError> {
        let newest = &over[over.len().saturating_sub(OVER)..];
        self.blocking(async |import| {
            for (subject, end) in newest {
                over::keep(&import.link.api, &import.link.names, subject, *end).await?;
            }
            Ok(())
        })?;
        Ok(Box::new(StreamExport::of_written(&self.link, self.oldest, self.head)?))
    }

    fn finish(mut self: Box<Self>) -> Result<(), OpenError> {
        self.blocking(async |import| {
            let Link { api, names, .. } = &import.link;
            let before = Kept::read(api, names).await?;
            Kept::write(api, names, &import.stream, before.as_ref(), import.oldest).await?;
            copies::end(api, &names.control).await?;
            Ok(copies::end(api, &names.events).await?)
        })
    }
}
