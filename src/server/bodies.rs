//! Large bodies of requests, which share a bounded memory while they arrive and are read.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::door::ConnectionInfo;
use super::encoding::{Encoding, Undecodable};

/// So much of each large body is not counted: small bodies are read, however many large ones are on their way.
const FREE: usize = 16 * 1024;

/// The memory that large bodies take while they arrive and are read, for all requests together.
pub(super) struct Bodies {
    /// In KiB.
    memory: Arc<Semaphore>,
}

/// A large body, and its part of the memory.
#[derive(Debug)]
pub(super) struct LargeBody {
    bytes: Vec<u8>,
    _held: Option<OwnedSemaphorePermit>,
}

impl Deref for LargeBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a large body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It has more bytes than are allowed.
    TooLarge,
    /// It did not arrive in time.
    Late,
    /// Its connection broke off, or it is no body.
    Broken,
    /// Other bodies take all of the memory.
    Busy,
}

impl Bodies {
    /// Of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { memory: Arc::new(Semaphore::new(bytes / 1024)) }
    }

    /// Reads a body of at most `most` bytes. What has not arrived takes no memory, so slow senders keep nobody out.
    pub(super) async fn read(
        &self,
        info: &ConnectionInfo,
        body: Body,
        most: usize,
        deadline: Duration,
    ) -> Result<LargeBody, Unread> {
        info.slot().wait();
        let read = timeout(deadline, self.collect(body, most)).await;
        info.slot().serve();
        read.unwrap_or(Err(Unread::Late))
    }

    /// The body as it was before it was encoded, of at most `most` bytes. While it is inflated it holds the memory that it may
    /// need at most.
    pub(super) async fn decode(
        &self,
        body: LargeBody,
        encoding: Encoding,
        most: usize,
    ) -> Result<LargeBody, Undecodable> {
        if encoding == Encoding::Plain {
            return Ok(body);
        }
        let kib = |bytes: usize| bytes.saturating_sub(FREE).div_ceil(1024);
        let may_need = u32::try_from(kib(most)).map_err(|_| Undecodable::TooLarge)?;
        let mut held =
            Arc::clone(&self.memory).try_acquire_many_owned(may_need).map_err(|_| Undecodable::Busy)?;
        // On a thread of its own, because it may take some milliseconds. It fails only if the runtime ends.
        let inflate = move || encoding.decode(body.bytes.into(), most).map(Vec::from);
        let bytes = tokio::task::spawn_blocking(inflate).await.map_err(|_| Undecodable::Busy)??;
        // What it does not need is free again.
        drop(held.split(kib(most).saturating_sub(kib(bytes.len()))));
        Ok(LargeBody { bytes, _held: Some(held) })
    }

    async fn collect(&self, body: Body, most: usize) -> Result<LargeBody, Unread> {
        let mut pieces = body.into_data_stream();
        let (mut bytes, mut held) = (Vec::new(), None::<OwnedSemaphorePermit>);
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Unread::Broken)?;
            let length = bytes.len() + piece.len();
            if length > most {
                return Err(Unread::TooLarge);
            }
            let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let more = length.saturating_sub(FREE).div_ceil(1024).saturating_sub(has);
            if more > 0 {
                let more = u32::try_from(more).map_err(|_| Unread::TooLarge)?;
                let more = Arc::clone(&self.memory).try_acquire_many_owned(more).map_err(|_| Unread::Busy)?;
                match &mut held {
                    Some(held) => held.merge(more),
                    None => held = Some(more),
                }
            }
            if bytes.capacity() < length {
                // A vector that doubles would take much more than is counted.
                bytes.reserve_exact(piece.len() + bytes.len() / 4);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(LargeBody { bytes, _held: held })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_bodies_share_the_memory_and_small_ones_need_none() {
        let bodies = Bodies::new(64 * 1024);
        let of = |bytes: usize| Body::from(vec![b'x'; bytes]);
        let first = bodies.collect(of(FREE + 60 * 1024), 100_000).await.ok();
        assert_eq!(first.as_ref().map(|body| body.len()), Some(FREE + 60 * 1024));
        assert_eq!(bodies.collect(of(FREE + 5 * 1024), 100_000).await.err(), Some(Unread::Busy));
        let small = bodies.collect(of(FREE), 100_000).await;
        assert!(small.is_ok());
        drop(first);
        assert!(bodies.collect(of(FREE + 64 * 1024), 100_000).await.is_ok());
        assert_eq!(bodies.collect(of(1_001), 1_000).await.err(), Some(Unread::TooLarge));
    }

    #[tokio::test]
    async fn an_inflated_body_holds_what_it_needs_and_no_more() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut gzip, &vec![b'x'; 100 * 1024]).expect("memory takes it");
        let gzip = gzip.finish().expect("memory takes it");
        let bodies = Bodies::new(200 * 1024);
        let small = bodies.collect(Body::from(gzip.clone()), 10_000).await.expect("it is small");
        let first = bodies.decode(small, Encoding::Gzip, 150 * 1024).await.expect("there is room");
        assert_eq!(first.len(), 100 * 1024);
        // 84 KiB of it count, and 116 of 200 are left: not enough for what a body may become.
        assert_eq!(bodies.memory.available_permits(), 116);
        let next = bodies.collect(Body::from(gzip), 10_000).await.expect("it is small");
        assert_eq!(bodies.decode(next, Encoding::Gzip, 150 * 1024).await.err(), Some(Undecodable::Busy));
        drop(first);
        assert_eq!(bodies.memory.available_permits(), 200);
    }
}
