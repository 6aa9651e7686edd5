//! What has arrived on the connections and is not observed yet: so many messages and so many bytes at most. A connection that
//! has no room here reads nothing meanwhile.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::check::Observation;

/// An observation with its connection and the moment at which it was made.
pub(super) type Seen = (u32, Instant, Observation);

/// The most messages.
const MESSAGES: usize = 1_024;

/// The most bytes. One message is smaller: at most 1 MiB of it is read.
const BYTES: u32 = 4 * 1024 * 1024;

/// What a message takes besides its text.
const BESIDE: usize = 256;

/// An inbox, and what connections post with.
pub(super) fn inbox() -> (Post, Inbox) {
    let (sender, receiver) = mpsc::channel(MESSAGES);
    let room = Arc::new(Semaphore::new(BYTES as usize));
    (Post { sender, room }, Inbox { receiver, later: None })
}

/// What a connection posts with.
#[derive(Clone)]
pub(super) struct Post {
    sender: mpsc::Sender<(Seen, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

impl Post {
    /// Hands on what was seen as soon as there is room. `false` if nobody listens any more.
    pub(super) async fn send(&self, seen: Seen) -> bool {
        let bytes = u32::try_from(size(&seen.2)).unwrap_or(BYTES).min(BYTES);
        let Ok(room) = Arc::clone(&self.room).acquire_many_owned(bytes).await else { return false };
        self.sender.send((seen, room)).await.is_ok()
    }

    /// Waits until nobody listens any more.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// What has arrived.
pub(super) struct Inbox {
    receiver: mpsc::Receiver<(Seen, OwnedSemaphorePermit)>,
    /// What was taken out, and had arrived too late.
    later: Option<Seen>,
}

impl Inbox {
    /// The next of what arrives before `until`; `None` if there is no more of it. A stream that comes faster than it is judged
    /// always has a next message, and would never end if only the waiting had a limit.
    pub(super) async fn next(&mut self, until: Instant) -> Option<Seen> {
        let seen = match self.later.take() {
            Some(seen) => seen,
            None => timeout_at(until, self.receiver.recv()).await.ok()??.0,
        };
        if seen.1 >= until {
            self.later = Some(seen);
            return None;
        }
        Some(seen)
    }
}

/// About as many bytes as an observation takes.
fn size(what: &Observation) -> usize {
    let text = match what {
        Observation::Text(text) | Observation::Comment(text) => text.len(),
        Observation::Event(event) => {
            let name = event.name.as_deref().unwrap_or_default();
            event.data.len() + event.id.as_deref().unwrap_or_default().len() + name.len()
        }
        _ => 0,
    };
    BESIDE + text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(connection: u32, moment: Instant, bytes: usize) -> Seen {
        (connection, moment, Observation::Text("x".repeat(bytes)))
    }

    /// Whether there is room for a message now.
    fn fits(post: &Post, seen: Seen) -> bool {
        futures_util::future::FutureExt::now_or_never(post.send(seen)).is_some_and(|sent| sent)
    }

    #[tokio::test]
    async fn large_messages_wait_for_room() {
        let (post, mut inbox) = inbox();
        let begin = Instant::now();
        let mut taken = 0;
        while taken < MESSAGES && fits(&post, text(0, begin, 1024 * 1024)) {
            taken += 1;
        }
        assert_eq!(taken, 3, "1,024 of them would be 1 GiB");
        assert!(inbox.next(begin + Duration::from_secs(1)).await.is_some());
        assert!(fits(&post, text(0, begin, 1024 * 1024)), "there is room again");
        // Those who wait for room are not forgotten when nobody listens any more.
        let waiting = tokio::spawn(async move { post.send(text(0, begin, 1024 * 1024)).await });
        tokio::task::yield_now().await;
        drop(inbox);
        assert!(!waiting.await.expect("it does not panic"));
    }

    #[tokio::test]
    async fn what_came_too_late_is_left_for_the_next_who_asks() {
        let (post, mut inbox) = inbox();
        let until = Instant::now();
        assert!(post.send(text(0, until - Duration::from_millis(1), 3)).await);
        assert!(post.send(text(1, until, 3)).await);
        assert!(post.send(text(2, until + Duration::from_millis(1), 3)).await);
        assert_eq!(
            inbox.next(until).await.map(|seen| seen.0),
            Some(0),
            "it came in time, and is judged late"
        );
        assert_eq!(inbox.next(until).await.map(|seen| seen.0), None);
        let later = until + Duration::from_secs(1);
        assert_eq!(inbox.next(later).await.map(|seen| seen.0), Some(1));
        assert_eq!(inbox.next(later).await.map(|seen| seen.0), Some(2));
        drop(post);
        assert_eq!(inbox.next(later).await.map(|seen| seen.0), None);
    }
}
