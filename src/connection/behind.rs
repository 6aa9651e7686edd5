//! A client that does not have everything yet: its cursor, and where it is sent from.

use std::time::{Duration, Instant};

use tokio_util::task::AbortOnDropHandle;

use super::End;
use super::outgoing::{Outgoing, Page, written};
use super::wire::Wire;
use crate::hub::Hub;

/// Bytes that are taken from the ring at once. About what a socket's send buffer takes.
pub(super) const BATCH_BYTES: usize = 64 * 1024;

/// How long a page is held at most: the memory is others' then.
const HOLD_PAGE: Duration = Duration::from_millis(250);

pub(super) struct Behind {
    /// Position of the last event of which something was handed to the socket.
    pub(super) cursor: u64,
    source: Source,
    /// When the socket last took something.
    pub(super) progress: Instant,
    /// Its cursor is beyond the shard's head, and it is looked at again when that has moved.
    pub(super) is_early: bool,
}

/// Where it is sent from.
enum Source {
    Ring,
    /// A page that is being read. Nobody reads on for a client that has gone.
    Reading {
        _task: Option<AbortOnDropHandle<()>>,
    },
    Page {
        page: Page,
        since: Instant,
    },
}

/// What sending some frames came to.
pub(super) enum Advance {
    /// So many were taken, with so many bytes.
    Sent(u64, usize),
    /// The socket is full.
    Full,
    /// They are behind the ring.
    Behind,
}

impl Behind {
    pub(super) fn new(cursor: u64) -> Self {
        Self { cursor, source: Source::Ring, progress: Instant::now(), is_early: false }
    }

    /// Whether it waits for a page.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.source, Source::Reading { .. })
    }

    /// A page is read for it.
    pub(super) fn reads(&mut self, reading: AbortOnDropHandle<()>) {
        self.source = Source::Reading { _task: Some(reading) };
    }

    /// It was read.
    pub(super) fn take(&mut self, page: Page) {
        self.source = Source::Page { page, since: Instant::now() };
    }

    /// Gives a page back that it has held for long.
    pub(super) fn look(&mut self, now: Instant) {
        if let Source::Page { since, .. } = self.source
            && now.saturating_duration_since(since) >= HOLD_PAGE
        {
            self.source = Source::Ring;
        }
    }

    /// Sends some of the frames after the cursor, which is before `head`.
    pub(super) fn advance(
        &mut self,
        wire: &mut Wire,
        outgoing: &mut Outgoing,
        hub: &Hub,
        head: u64,
    ) -> Result<Advance, End> {
        let missing = usize::try_from(head - self.cursor).unwrap_or(usize::MAX);
        if let Source::Page { page, .. } = &self.source
            && page.left().is_empty()
        {
            self.source = Source::Ring;
        }
        let (taken, (frames, rest)) = if let Source::Page { page, .. } = &mut self.source {
            let left = page.left();
            let left = &left[..left.len().min(missing)];
            let taken = wire.write_frames(left).map_err(|_| End::Gone)?;
            let (frames, rest) = written(left, taken);
            page.skip(frames);
            (taken, (frames, rest))
        } else {
            let Some(mut frames) = hub.after(self.cursor, BATCH_BYTES) else {
                self.source = Source::Reading { _task: None };
                return Ok(Advance::Behind);
            };
            frames.truncate(missing);
            let taken = wire.write_frames(&frames).map_err(|_| End::Gone)?;
            (taken, written(&frames, taken))
        };
        if frames == 0 {
            // Others wait for the memory; what is left of the page is read again when the socket takes more.
            if matches!(self.source, Source::Page { .. }) && hub.is_short_of_pages() {
                self.source = Source::Ring;
            }
            return Ok(Advance::Full);
        }
        self.progress = Instant::now();
        self.cursor += frames;
        let bytes = taken + rest.len();
        outgoing.keep(&rest);
        Ok(Advance::Sent(frames, bytes))
    }
}
