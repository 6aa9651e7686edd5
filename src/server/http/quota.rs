//! The work and the memory that large answers may take at the same time. Requests beyond them are refused with 503, so
//! that neither many readers nor slow ones hold up events.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::Instant;

use super::problem::Problem;
use crate::journal::{Journal, JournalError};
use crate::metrics::Refusal;
use crate::server::parts::{Part, Parts};
use crate::server::turns::{Busy, Turn, Turns};

/// About the bytes of one piece of an answer: what a slow reader costs besides the answer itself.
pub(super) const PIECE_BYTES: usize = 32 * 1024;

/// Bytes of large answers that are not sent yet, for all requests together.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Requests that wait at the same time for what other servers have stored. They take no turn meanwhile.
const ASKING: u32 = 256;

/// Smaller answers are not counted: the kernel takes them at once.
const SMALL: usize = 64 * 1024;

/// Requests of a network that wait for their turn at the same time; further ones are refused at once. Many, because all pages of a server
/// that was restarted ask for the listing at once, which takes a millisecond.
const WAITING: usize = 256;

/// How often a request that waits looks whether the journal can be read.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// A counted answer must be taken within this time …
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// … and one second more for so many bytes. Otherwise a client could keep its part of the memory by reading slowly.
const SLOWEST_RATE: usize = 16 * 1024;

/// What is left of the work and the memory.
pub(in crate::server) struct Quota {
    answers: Queues,
    reports: Queues,
    ends: Queues,
    /// In KiB.
    memory: Parts,
    /// Requests that wait for what other servers have stored.
    asking: Parts,
    journal: Journal,
}

/// What a request wants to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// To read what is told in a moment.
    Answer,
    /// To make a report, which may take a second: who looks at a state does not wait for those of many networks.
    Report,
    /// To end an incident. It waits for nobody who reads: those may be many.
    End,
}

/// The queues of one kind of work.
struct Queues {
    turns: Turns,
    /// Of that for which much of the journal is read.
    lanes: Turns,
}

impl Queues {
    fn new(cores: usize) -> Self {
        Self { turns: Turns::new(cores, WAITING), lanes: Turns::long() }
    }
}

impl Quota {
    pub(in crate::server) fn new(cores: usize, journal: Journal) -> Self {
        let [answers, reports, ends] = [(); 3].map(|()| Queues::new(cores));
        Self {
            answers,
            reports,
            ends,
            memory: Parts::new(kib(MOST_BYTES)),
            asking: Parts::new(ASKING),
            journal,
        }
    }

    fn queues(&self, work: Work) -> &Queues {
        match work {
            Work::Answer => &self.answers,
            Work::Report => &self.reports,
            Work::End => &self.ends,
        }
    }

    /// Does something with an incident, which `look` does not find if there is no such incident. Another server may have begun it a
    /// moment ago: so if it is not found, this server reads what others have stored, and looks again. Each look has a turn.
    pub(super) async fn find<T, F>(
        &self,
        work: Work,
        address: IpAddr,
        look: impl Fn(Turn) -> F,
    ) -> Result<Option<T>, Problem>
    where
        F: Future<Output = Result<Option<T>, Problem>>,
    {
        let found = look(self.turn(work, address).await?).await?;
        if found.is_some() || !self.journal.is_shared() {
            return Ok(found);
        }
        self.catch_up(address).await?;
        look(self.turn(work, address).await?).await
    }

    /// Reads what other servers have stored, if a client names a position that this server has not read.
    pub(super) async fn reach(&self, address: IpAddr, position: u64) -> Result<(), Problem> {
        if self.journal.is_shared() && self.journal.extent().head < position {
            self.catch_up(address).await?;
        }
        Ok(())
    }

    /// Waits until this server has read what others have stored.
    async fn catch_up(&self, address: IpAddr) -> Result<(), Problem> {
        let _place = self.asking.take(address, 1).map_err(|Busy| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "many other requests wait for what other servers have stored; try again in a moment",
            )
            .with_header(header::RETRY_AFTER, "2")
            .because(Refusal::Busy)
        })?;
        Ok(self.journal.catch_up().await?)
    }

    /// Waits for the turn of a request.
    pub(super) async fn turn(&self, work: Work, address: IpAddr) -> Result<Turn, Problem> {
        self.unless_unreadable(self.queues(work).turns.take(address)).await
    }

    /// Waits until the client at this address may have much of the journal read for it.
    pub(super) async fn lane(&self, work: Work, address: IpAddr) -> Result<Turn, Problem> {
        self.unless_unreadable(self.queues(work).lanes.take(address)).await
    }

    /// While the journal can't be read, nobody waits behind others that can't go on.
    async fn unless_unreadable<T>(
        &self,
        waiting: impl Future<Output = Result<T, Busy>>,
    ) -> Result<T, Problem> {
        let unreadable = async {
            loop {
                if let Some(trouble) = self.journal.unreadable() {
                    return JournalError::Unavailable(trouble);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            biased;
            taken = waiting => taken.map_err(|Busy| busy()),
            error = unreadable => Err(error.into()),
        }
    }

    /// Takes this part of the memory for a client at this address. All of its network together get no more than three quarters, or one
    /// answer that is larger.
    pub(super) fn hold(&self, address: IpAddr, bytes: usize) -> Result<Part, Problem> {
        self.memory.take(address, kib(bytes)).map_err(|Busy| busy())
    }

    /// A response with this content. A large one is counted until it is sent.
    ///
    /// # Errors
    /// Too many large answers are being sent, or this one alone is too large.
    pub(super) fn answer(
        &self,
        address: IpAddr,
        content_type: &'static str,
        content: impl Into<Bytes>,
    ) -> Result<Response, Problem> {
        let content: Bytes = content.into();
        let length = content.len();
        if length > MOST_BYTES {
            return Err(too_large());
        }
        let body = if length <= SMALL {
            Body::from(content)
        } else {
            let held = self.hold(address, length)?;
            let pieces = stream::unfold((content, held), |(mut rest, held)| async move {
                let piece = rest.split_to(rest.len().min(PIECE_BYTES));
                (!piece.is_empty()).then_some((piece, (rest, held)))
            });
            Body::from_stream(in_time(pieces, length))
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        // A stream has no length of its own.
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        Ok(response)
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// The pieces of an answer whose length is not known before its end, until the client is too slow for those that it has taken. A large
/// piece is handed out bit by bit: the time is looked at whenever the client has taken one.
pub(super) fn in_time_so_far(
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let began = Instant::now();
    let mut taken = 0;
    pieces.flat_map(|piece| stream::iter(bits(piece))).map(move |piece| {
        let until = began + allowed(taken);
        taken += piece.as_ref().map_or(0, Bytes::len);
        if Instant::now() <= until { piece } else { Err(too_slow()) }
    })
}

/// A piece in parts of no more than [`PIECE_BYTES`].
fn bits(piece: io::Result<Bytes>) -> impl Iterator<Item = io::Result<Bytes>> {
    let (mut rest, error) = match piece {
        Ok(bytes) => (bytes, None),
        Err(error) => (Bytes::new(), Some(error)),
    };
    let bits = std::iter::from_fn(move || {
        (!rest.is_empty()).then(|| Ok(rest.split_to(rest.len().min(PIECE_BYTES))))
    });
    bits.chain(error.map(Err))
}

/// The pieces of an answer of `length` bytes, until the client has had more than enough time to take them.
pub(super) fn in_time<T: Send + 'static>(
    pieces: impl Stream<Item = T> + Send + 'static,
    length: usize,
) -> impl Stream<Item = io::Result<T>> + Send + 'static {
    let until = Instant::now() + allowed(length);
    // A client that takes nothing at all is given up by its socket: then no piece is asked for.
    pieces.map(move |piece| (Instant::now() <= until).then_some(piece).ok_or_else(too_slow))
}

/// How long a client may take for so many bytes.
fn allowed(bytes: usize) -> Duration {
    TAKEN_WITHIN + Duration::from_secs((bytes / SLOWEST_RATE) as u64)
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client reads too slowly")
}

pub(super) fn busy() -> Problem {
    let detail = "the server is busy with other requests like this one; try again in a moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        .with_header(header::RETRY_AFTER, "2")
        .because(Refusal::Busy)
}

/// The refusal of an answer that would take more than all of the memory.
pub(super) fn too_large() -> Problem {
    let detail = "this incident is too long to be told in one answer; record it with `incident watch --record FILE \
        --after 0` and use `incident report FILE`";
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::StreamId;
    use crate::journal::{Memory, Retention};

    #[tokio::test(start_paused = true)]
    async fn reports_and_ends_are_waited_for_by_nobody_else() {
        let quota = Quota::new(2, Journal::new(Memory::new(StreamId::fresh(), Retention::default())));
        let (mut taken, other) = (Vec::new(), IpAddr::from([198, 51, 100, 1]));
        for work in [Work::Report, Work::Answer] {
            for network in 0..9 {
                let address = IpAddr::from([192, 0, 2, network]);
                taken.extend(quota.turn(work, address).await);
                taken.extend(quota.lane(work, address).await);
            }
            assert!(quota.turn(work, other).await.is_err() && quota.lane(work, other).await.is_err());
            if work == Work::Report {
                let began = Instant::now();
                assert!(quota.turn(Work::Answer, other).await.is_ok());
                assert_eq!(began.elapsed(), Duration::ZERO);
            }
        }
        let began = Instant::now();
        assert!(quota.turn(Work::End, other).await.is_ok() && quota.lane(Work::End, other).await.is_ok());
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_what_others_have_stored_keeps_a_part_for_other_networks() {
        let quota = Quota::new(2, Journal::new(Memory::new(StreamId::fresh(), Retention::default())));
        let address = |last| IpAddr::from([192, 0, 2, last]);
        let asking: Vec<_> = (0..ASKING).map(|_| quota.asking.take(address(1), 1).ok()).collect();
        assert!(asking.iter().any(Option::is_none) && quota.catch_up(address(1)).await.is_err());
        assert!(quota.catch_up(address(2)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_read_too_slowly_is_given_up() {
        let pieces = stream::repeat(Bytes::from_static(b"piece"));
        let mut slow = Box::pin(in_time(pieces, 160 * 1024));
        for _ in 0..3 {
            assert!(slow.next().await.is_some_and(|piece| piece.is_ok()));
            tokio::time::advance(Duration::from_secs(13)).await;
        }
        assert!(slow.next().await.is_some_and(|piece| piece.is_ok()), "39 of 40 s");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(slow.next().await.is_some_and(|piece| piece.is_err()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_a_length_is_given_up_as_soon_as_its_client_is_too_slow_for_what_it_took() {
        // As large pieces as there are: each is the state of one incident.
        for size in [PIECE_BYTES, 1024 * 1024] {
            let piece = move || Ok(Bytes::from(vec![0; size]));
            let mut slow = Box::pin(in_time_so_far(stream::repeat_with(piece)));
            for _ in 0..15 {
                assert!(slow.next().await.is_some_and(|piece| piece.is_ok()));
                tokio::time::advance(Duration::from_secs(4)).await;
            }
            assert!(slow.next().await.is_some_and(|piece| piece.is_ok()), "60 of 30 + 15 * 2 s");
            tokio::time::advance(Duration::from_secs(4)).await;
            assert!(slow.next().await.is_some_and(|piece| piece.is_err()), "64 of 30 + 16 * 2 s");
        }
    }

    #[tokio::test]
    async fn an_answer_is_whole_however_large_its_pieces_are() {
        let sizes = [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 1];
        let pieces = sizes.map(|size| Ok(Bytes::from(vec![size as u8; size])));
        let got: Vec<_> = in_time_so_far(stream::iter(pieces)).collect().await;
        let got: Vec<Bytes> = got.into_iter().map(|piece| piece.expect("in time")).collect();
        assert!(got.iter().all(|piece| (1..=PIECE_BYTES).contains(&piece.len())));
        assert_eq!(got.concat(), sizes.map(|size| vec![size as u8; size]).concat());
        let failed: Vec<_> = in_time_so_far(stream::iter([Err(too_slow())])).collect().await;
        assert!(failed.len() == 1 && failed[0].is_err());
    }
}
