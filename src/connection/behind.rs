//! A client that is behind the head: its cursor, and where its frames come from.

use std::time::{Duration, Instant};

use tokio_util::task::AbortOnDropHandle;

use super::dialect::{Dialect, Joined};
use super::outgoing::{Outgoing, Page, Written};
use super::wire::Wire;
use crate::contract::Position;
use crate::delivery::End;
use crate::hub::{Frame, Hub, Network};

/// Bytes that are taken from the ring at once: about a socket's send buffer.
pub(super) const BATCH_BYTES: usize = 64 * 1024;

/// Bytes of events that are encoded for one client at once.
const PIECE_BYTES: usize = 32 * 1024;

/// How long a client may hold a page. Afterwards the memory is for other clients.
const HOLD_PAGE: Duration = Duration::from_millis(250);

/// The state of a client that is behind.
pub(super) struct Behind {
    /// Position of the last event that was handed to the socket in full or in part.
    pub(super) cursor: u64,
    source: Source,
    /// When the socket last took something.
    pub(super) progress: Instant,
    /// Its cursor is beyond the shard's head, so it waits for the head to move.
    pub(super) is_early: bool,
}

/// Where the next frames come from.
enum Source {
    Ring,
    /// A page that is being read. Dropping the task cancels it.
    Reading {
        _task: Option<AbortOnDropHandle<()>>,
    },
    Page {
        page: Page,
        since: Instant,
    },
}

/// The result of sending some frames.
pub(super) enum Advance {
    /// The socket took frames.
    Sent {
        /// How many.
        events: u64,
        /// Their bytes.
        bytes: usize,
    },
    /// The socket is full.
    Full,
    /// The ring no longer has the next frames: a page has to be read.
    NeedsPage,
}

impl Behind {
    pub(super) fn new(cursor: u64) -> Self {
        Self { cursor, source: Source::Ring, progress: Instant::now(), is_early: false }
    }

    /// Whether a page is being read.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.source, Source::Reading { .. })
    }

    /// A page is being read by this task.
    pub(super) fn reads(&mut self, reading: AbortOnDropHandle<()>) {
        self.source = Source::Reading { _task: Some(reading) };
    }

    /// Takes the page that was read.
    pub(super) fn take(&mut self, page: Page) {
        self.source = Source::Page { page, since: Instant::now() };
    }

    /// Drops a page that it has held for too long.
    pub(super) fn drop_old_page(&mut self, now: Instant) {
        if let Source::Page { since, .. } = self.source
            && now.saturating_duration_since(since) >= HOLD_PAGE
        {
            self.source = Source::Ring;
        }
    }

    /// Sends some of the frames after the cursor, which is before `head`.
    pub(super) fn advance(
        &mut self,
        (wire, outgoing): (&mut Wire, &mut Outgoing),
        dialect: Dialect,
        (hub, network): (&Hub, Network),
        head: u64,
    ) -> Result<Advance, End> {
        let missing = usize::try_from(head - self.cursor).unwrap_or(usize::MAX);
        if let Source::Page { page, .. } = &self.source
            && page.left().is_empty()
        {
            self.source = Source::Ring;
        }
        let after = || Position { stream: hub.stream().clone(), n: self.cursor };
        let (taken, written) = if let Source::Page { page, .. } = &mut self.source {
            let left = page.left();
            let sent = send(wire, outgoing, dialect, &left[..left.len().min(missing)], after)?;
            page.skip(sent.1.frames);
            sent
        } else {
            let Some(mut frames) = hub.after(self.cursor, BATCH_BYTES) else {
                self.source = Source::Reading { _task: None };
                return Ok(Advance::NeedsPage);
            };
            frames.truncate(missing);
            send(wire, outgoing, dialect, &frames, after)?
        };
        if written.frames == 0 {
            // Other clients wait for the memory; the rest of the page is read again when the socket takes more.
            if matches!(self.source, Source::Page { .. }) && hub.is_short_of_pages(network) {
                self.source = Source::Ring;
            }
            return Ok(Advance::Full);
        }
        self.progress = Instant::now();
        self.cursor += written.frames;
        Ok(Advance::Sent { events: written.frames, bytes: taken + written.rest })
    }
}

/// Sends frames as far as the socket takes them: the bytes that it took, and how far they came. The rest of an event that
/// was written in part is kept.
fn send(
    wire: &mut Wire,
    outgoing: &mut Outgoing,
    dialect: Dialect,
    frames: &[Frame],
    after: impl Fn() -> Position,
) -> Result<(usize, Written), End> {
    if dialect == Dialect::WebSocket {
        let taken = wire.write_frames(frames).map_err(|_| End::Gone)?;
        let (written, rest) = Written::of_frames(frames, taken);
        outgoing.keep(rest);
        return Ok((taken, written));
    }
    // What the socket does not take is encoded again: a piece is no larger than what it usually takes.
    let mut room = PIECE_BYTES;
    let fits = |frame: &&Frame| {
        let has_room = room > 0;
        room = room.saturating_sub(frame.len());
        has_room
    };
    let piece = frames.iter().take_while(fits).count();
    let joined = Joined::new(dialect, &frames[..piece], &after());
    let taken = wire.write(joined.bytes()).map_err(|_| End::Gone)?;
    let (written, rest) = joined.written(taken);
    outgoing.keep(rest);
    Ok((taken, written))
}
