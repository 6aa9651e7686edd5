//! However often somebody logs in, there are so many notes and no more, and all servers take the same sessions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::Request;
use parking_lot::Mutex;

use super::*;
use crate::contract::StreamId;
use crate::journal::{Lease, Leases, Memory, Pending, Register, Retention};
use crate::server::access::noted::ENDED;
use crate::token::Token;

const READ: &str = "r3ad-0123456789abcdef";
const WRITE: &str = "wr1te-0123456789abcdef";

/// The sessions of each scope.
const MOST: usize = 1_000;

/// The second stream of several servers: the newest message of each subject.
#[derive(Default)]
struct Stream(Mutex<Messages>);

#[derive(Default)]
struct Messages {
    last: u64,
    notes: BTreeMap<String, Note>,
    /// The most notes that there were at once.
    most: usize,
}

impl Register for Stream {
    fn shelf(&self) -> Pending<'_, Shelf> {
        let messages = self.0.lock();
        let oldest = messages.notes.values().map(|note| note.revision).min();
        let shelf =
            Shelf { oldest: oldest.unwrap_or(messages.last + 1), newest: messages.last, ..Shelf::default() };
        Box::pin(async move { Ok(shelf) })
    }

    fn notes(&self, after: u64) -> Pending<'_, Vec<Note>> {
        let messages = self.0.lock();
        let mut notes: Vec<Note> =
            messages.notes.values().filter(|note| note.revision > after).cloned().collect();
        notes.sort_by_key(|note| note.revision);
        Box::pin(async move { Ok(notes) })
    }

    fn note(&self, name: &str, text: Option<String>, over: Option<u64>) -> Pending<'_, Option<u64>> {
        let mut messages = self.0.lock();
        let before = messages.notes.get(name).map_or(0, |note| note.revision);
        let written = over.is_none_or(|over| over == before).then(|| {
            messages.last += 1;
            let note = Note { name: name.to_owned(), text, revision: messages.last };
            messages.notes.insert(name.to_owned(), note);
            messages.most = messages.most.max(messages.notes.len());
            messages.last
        });
        Box::pin(async move { Ok(written) })
    }

    fn forget_note(&self, name: &str) -> Pending<'_, ()> {
        self.0.lock().notes.remove(name);
        Box::pin(async { Ok(()) })
    }
}

impl Leases for Stream {
    fn lease(&self) -> Pending<'_, Lease> {
        Box::pin(std::future::pending())
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// A server over the stream.
async fn server(stream: &Arc<Stream>) -> (Arc<Auth>, Share) {
    let memory = Memory::new(StreamId::generate(1_700_000_000_000, 4), Retention::default());
    let journal = Journal::new(memory).shared_by(Arc::clone(stream));
    let tokens = [(Scope::Read, READ), (Scope::Write, WRITE)];
    let tokens = tokens.map(|(scope, token)| (scope, token.parse::<Token>().unwrap()));
    let auth = Arc::new(Auth::new(tokens.to_vec(), 1, &journal));
    let share = Share::begin(journal, &auth).await.unwrap();
    (auth, share)
}

/// A log-in, no sooner than an address may. Gives the id of the session.
async fn log_in(auth: &Auth, token: &str) -> String {
    sleep(Duration::from_millis(201)).await;
    let (begun, _) = auth.log_in(&Request::new(Body::empty()), token).unwrap();
    super::begun(auth, &begun).await;
    begun.id
}

fn takes(auth: &Auth, id: &str) -> bool {
    auth.accepted.lock().sessions.find(&[id.to_owned()], Instant::now()).is_some()
}

#[tokio::test(start_paused = true)]
async fn however_many_log_ins_there_are_the_notes_are_bounded_and_the_servers_agree() {
    let stream = Arc::<Stream>::default();
    let (a, b, away) = (server(&stream).await, server(&stream).await, server(&stream).await);
    let stop = CancellationToken::new();
    let (auths, mut absent) = ([a.0, b.0], away.1);
    let running = [a.1, b.1].map(|share| tokio::spawn(share.run(stop.clone())));
    let writer = log_in(&auths[0], WRITE).await;
    absent.look().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..MOST + ENDED + 1_200 {
        ids.push(log_in(&auths[number % 2], READ).await);
        if number == MOST / 2 {
            // It knows these, and hears nothing until the notes of their end are removed.
            absent.look().await.unwrap();
            assert!(ids.iter().all(|id| takes(&away.0, id)));
        }
    }
    sleep(4 * LOOK).await;
    absent.look().await.unwrap();
    // One more is there while somebody logs in on each server.
    let (open, ended) = (MOST + 1 + running.len(), ENDED + 600);
    assert!(stream.0.lock().most <= open + ended, "{}", stream.0.lock().most);
    for auth in auths.iter().chain([&away.0]) {
        let old = ids[..ids.len() - MOST].iter().filter(|id| takes(auth, id)).count();
        let new = ids[ids.len() - MOST..].iter().filter(|id| takes(auth, id)).count();
        assert_eq!((old, new), (0, MOST));
        assert!(takes(auth, &writer));
        let noted = auth.noted();
        assert!(noted.len() <= open + ended, "{}", noted.len());
    }
    // The stream is restored as it was when the first of them began: the notes say again that they are in use.
    for id in &ids[..5] {
        let name = Digest::of(id.as_bytes()).to_hex();
        assert!(!stream.0.lock().notes.contains_key(&name), "the oldest notes are removed");
        let text = serde_json::to_string(&Written {
            token: Digest::of(READ.as_bytes()).to_hex(),
            scope: Scope::Read,
            used: Timestamp::now().as_second(),
            idle: 0,
        });
        stream.note(&name, Some(text.unwrap()), None).await.unwrap();
    }
    sleep(4 * LOOK).await;
    assert!(auths.iter().all(|auth| ids[..5].iter().all(|id| !takes(auth, id))), "what has ended stays so");
    stop.cancel();
    for running in running {
        running.await.unwrap();
    }
}
