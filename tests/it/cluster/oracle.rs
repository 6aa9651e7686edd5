//! What clients of all servers were told, compared: watchers that reconnect anywhere, publishers that send each event until it is
//! acknowledged, and drills that have to end in time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use incident::client::{Socket, SocketEvent};
use incident::contract::{Follows, Message, ServerState, now};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::told::{Fault, Told};
use crate::harness::trio::{THREE, Trio, Urls};
use crate::harness::{Http, envelope, ms};

/// How long the drills may pause after the last fault besides: the time after which the lease goes to another, and then some. That
/// it is 4 s where a machine has nothing else to do, the table of `./dev cluster` shows.
const TAKEOVER_S: f64 = 6.0;

/// How long they may if a nats-server is gone that may have led the stream with the lease too: 10 s on such a machine.
const ELECTION_S: f64 = 14.0;

/// How long all may take until the drills have ended.
const LONG: Duration = Duration::from_secs(90);

/// What all watchers were told, and all publishers.
#[derive(Default)]
pub struct Oracle {
    told: Mutex<Told>,
    /// Publishers stop.
    enough: AtomicBool,
    /// Position up to which watchers watch, once it is known.
    last: AtomicU64,
    /// Whether positions may be reset.
    resets: AtomicBool,
}

/// The oracle at work.
pub struct Watched {
    pub oracle: Arc<Oracle>,
    urls: Urls,
    watchers: Vec<JoinHandle<()>>,
    publishers: Vec<JoinHandle<()>>,
}

impl Watched {
    /// Three watchers, which begin on different servers, and two publishers.
    pub fn over(trio: &Trio) -> Self {
        Self::with_publishers(trio, 2)
    }

    /// Watchers of drills alone: a stream that is remade lacks what was published.
    pub fn without_publishers(trio: &Trio) -> Self {
        Self::with_publishers(trio, 0)
    }

    fn with_publishers(trio: &Trio, many: u64) -> Self {
        let (oracle, urls) = (Arc::new(Oracle::default()), Arc::clone(&trio.urls));
        let watchers =
            (0..THREE).map(|number| tokio::spawn(watch(Arc::clone(&oracle), Arc::clone(&urls), number)));
        let watchers = watchers.collect();
        let publishers =
            (0..many).map(|number| tokio::spawn(publish(Arc::clone(&oracle), Arc::clone(&urls), number)));
        let publishers = publishers.collect();
        Self { oracle, urls, watchers, publishers }
    }

    /// Starts a drill through any server.
    pub async fn drill(&self, speed: u32) {
        let body = json!({ "scenario": "database-outage", "speed": speed }).to_string();
        for number in 0..1_000 {
            if let Some(address) = address(&self.urls, number) {
                let reply = timeout(Duration::from_secs(5), Http::trigger(address, &body).try_send()).await;
                if let Ok(Some(reply)) = reply
                    && (200..300).contains(&reply.status)
                {
                    return;
                }
            }
            sleep(ms(100)).await;
        }
        panic!("no server starts a drill");
    }

    /// The clocks of the servers differ: what counts is when events come.
    pub fn judges_by_arrival(&self) {
        self.oracle.told.lock().by_arrival = true;
    }

    /// Something is done to the servers now.
    pub fn fault(&self, what: &'static str) {
        self.oracle.told.lock().faults.push(Fault { what, at: now(), pause_s: TAKEOVER_S });
    }

    /// Something is done to the nats-servers now.
    pub fn fault_of_nats(&self, what: &'static str) {
        self.oracle.told.lock().faults.push(Fault { what, at: now(), pause_s: ELECTION_S });
    }

    /// Waits until as many further events were acknowledged that were sent after this call.
    pub async fn writes(&self, many: usize) {
        let since = now();
        let began = Instant::now();
        while began.elapsed() < LONG {
            if self.oracle.told.lock().writes.iter().filter(|(sent, _)| *sent > since).count() >= many {
                return;
            }
            assert!(!self.watchers.iter().any(JoinHandle::is_finished), "a watcher has ended");
            sleep(ms(20)).await;
        }
        panic!("nothing is stored any more");
    }

    /// Waits until all servers say that they are paused.
    pub async fn pauses(&self) {
        self.oracle.told.lock().paused.clear();
        let began = Instant::now();
        while (0..THREE).any(|number| self.paused(number).is_none()) {
            assert!(began.elapsed() < LONG, "not all are paused: {:?}", self.oracle.told.lock().paused);
            sleep(ms(50)).await;
        }
    }

    /// The longest time between two events of a drill of a kind.
    pub fn longest_pause(&self, is_kind: impl Fn(&Message) -> bool) -> Duration {
        let told = self.oracle.told.lock();
        let drills = told.drills();
        let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
        let mut longest = 0.0_f64;
        for (_, event) in told.all().filter(|(_, event)| drills.contains_key(event.incident())) {
            if event.message().is_ok_and(|message| is_kind(&message))
                && let Some(before) = last.insert(event.incident().to_owned(), event.time)
            {
                longest = longest.max(event.time.duration_since(before).as_secs_f64());
            }
        }
        Duration::from_secs_f64(longest)
    }

    /// Positions may be reset from now on.
    pub fn allow_resets(&self) {
        self.oracle.resets.store(true, Ordering::SeqCst);
    }

    /// Names of the streams to which watchers were reset.
    pub fn resets(&self) -> BTreeSet<String> {
        self.oracle.told.lock().resets.clone()
    }

    /// The newest reason for which a server has said `paused`.
    pub fn paused(&self, number: usize) -> Option<String> {
        let told = self.oracle.told.lock();
        told.paused.iter().rev().find(|(server, _)| *server == number).map(|(_, why)| why.clone())
    }

    /// Compares what was told so far, and begins anew: what follows is another stream.
    pub fn turn_over(&self) {
        let mut told = self.oracle.told.lock();
        *told = Told { resets: std::mem::take(&mut told.resets), ..Told::default() };
    }

    /// Waits until watchers were told as many events.
    pub async fn has(&self, many: u64) {
        let head = |told: &Told| told.events.keys().map(|(_, position)| *position).max().unwrap_or_default();
        self.until("the events", |told| head(told) >= many).await;
    }

    /// Waits until every drill has ended.
    pub async fn has_ended(&self) {
        self.until("the ends of the drills", Told::has_ended).await;
    }

    /// Waits until a watcher was told an event of an incident.
    pub async fn told(&self, subject: &str, index: u64) {
        let is_it = |(_, event): (u64, incident::contract::Envelope)| {
            event.incident() == subject && event.index == Some(index)
        };
        self.until("the event", |told| told.all().any(is_it)).await;
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Told) -> bool) {
        let began = Instant::now();
        while !is_so(&self.oracle.told.lock()) {
            assert!(began.elapsed() < LONG, "watchers wait in vain for {what}");
            assert!(!self.watchers.iter().any(JoinHandle::is_finished), "a watcher has ended");
            sleep(ms(20)).await;
        }
    }

    /// An event was acknowledged to somebody else.
    pub fn acknowledged(&self, subject: &str, index: u64, position: u64) {
        self.oracle.told.lock().acknowledged.push((subject.to_owned(), index, position));
    }

    /// What was told under this name does not count.
    pub fn forget(&self, stream: &str) {
        self.oracle.told.lock().events.retain(|(of, _), _| of != stream);
    }

    /// Compares what was told so far, and ends. Returns the last position.
    pub fn stop(self) -> u64 {
        for task in self.watchers.iter().chain(&self.publishers) {
            task.abort();
        }
        let told = self.oracle.told.lock();
        told.check();
        told.events.keys().map(|(_, position)| *position).max().unwrap_or_default()
    }

    /// Waits until a stream was told under another name, to all.
    pub async fn reset_from(&self, old: &str) {
        let began = Instant::now();
        while self.resets().iter().all(|stream| stream == old) {
            assert!(began.elapsed() < LONG, "no client was reset");
            assert!(!self.watchers.iter().any(JoinHandle::is_finished), "a watcher has ended");
            sleep(ms(50)).await;
        }
    }

    /// The name of the stream.
    pub fn stream(&self) -> String {
        self.oracle.told.lock().events.keys().next().map(|(stream, _)| stream.clone()).unwrap_or_default()
    }

    /// Waits until every drill has ended, and compares. Returns the name of the stream.
    pub async fn end(self) -> String {
        self.oracle.enough.store(true, Ordering::SeqCst);
        for publisher in self.publishers {
            timeout(LONG, publisher).await.expect("a publisher ends").unwrap();
        }
        let began = Instant::now();
        while !self.oracle.told.lock().has_ended() {
            assert!(began.elapsed() < LONG, "drills have not ended: {:?}", self.oracle.told.lock().drills());
            assert!(!self.watchers.iter().any(JoinHandle::is_finished), "a watcher has ended");
            sleep(ms(100)).await;
        }
        let last = self.oracle.told.lock().events.keys().next_back().map_or(0, |(_, last)| *last);
        self.oracle.last.store(last, Ordering::SeqCst);
        for watcher in self.watchers {
            timeout(LONG, watcher).await.expect("a watcher has all").unwrap();
        }
        let told = self.oracle.told.lock();
        told.check();
        told.events.keys().next().map(|(stream, _)| stream.clone()).unwrap_or_default()
    }
}

fn address(urls: &Urls, number: usize) -> Option<std::net::SocketAddr> {
    let url = urls.lock()[number % THREE].clone()?;
    url.split('/').nth(2)?.parse().ok()
}

/// A client that changes servers now and then, and whenever its server is silent.
async fn watch(oracle: Arc<Oracle>, urls: Urls, number: usize) {
    let mut at: Option<(String, u64)> = None;
    for hub in number.. {
        let hub = hub % THREE;
        let Some(url) = urls.lock()[hub].clone() else {
            sleep(ms(50)).await;
            continue;
        };
        let after = at.as_ref().map_or("0".to_owned(), |(stream, n)| format!("{stream}/{n}"));
        let endpoint = url.parse().unwrap();
        let connecting = timeout(Duration::from_secs(2), Socket::connect(&endpoint, Some(&after)));
        let Ok(Ok(mut socket)) = connecting.await else {
            sleep(ms(100)).await;
            continue;
        };
        let leaves = Instant::now() + Duration::from_secs_f64(0.5 + 6.0 * incident::random::unit());
        loop {
            let until = leaves.min(Instant::now() + Duration::from_secs(2));
            match timeout_at(until, socket.receive()).await {
                Ok(SocketEvent::Text(text)) => {
                    if oracle.take(&mut at, hub, &text) {
                        return;
                    }
                }
                Ok(SocketEvent::Alive) => {}
                Ok(SocketEvent::Binary(_) | SocketEvent::Closed { .. }) | Err(_) => break,
            }
        }
    }
}

impl Oracle {
    /// What one watcher was sent. Returns whether it has all.
    fn take(&self, at: &mut Option<(String, u64)>, hub: usize, text: &str) -> bool {
        let event = envelope(text);
        match event.message() {
            Ok(Message::StreamOpened(opened)) => {
                let (from, _) = opened.follows.range();
                if let (Follows::Reset { reason, .. }, Some(before)) = (&opened.follows, &at) {
                    assert!(
                        self.resets.load(Ordering::SeqCst),
                        "hub {hub} resets a client at {before:?} for {reason:?}: {text}"
                    );
                    self.told.lock().resets.insert(opened.stream.clone());
                } else if let Some((stream, n)) = &at {
                    assert_eq!((stream, from), (&opened.stream, n + 1), "{text}");
                }
                *at = Some((opened.stream, from - 1));
            }
            Ok(Message::Heartbeat(beat)) => {
                let (stream, n) = at.as_ref().expect("it was opened");
                assert!(
                    beat.stream != *stream || beat.head <= *n,
                    "hub {hub} says that {} was sent, and its client has {n}",
                    beat.head
                );
                if beat.state == ServerState::Paused {
                    self.told.lock().paused.push((hub, beat.reason.unwrap_or_default()));
                }
            }
            _ => {
                let position = event.position().unwrap();
                let (stream, n) = at.as_mut().expect("it was opened");
                assert_eq!(position.stream.as_str(), stream, "{text}");
                assert_eq!(position.n, *n + 1, "hub {hub} leaves a hole or repeats: {text}");
                *n = position.n;
                let mut told = self.told.lock();
                told.came.entry(*n).or_insert_with(now);
                let known = told.events.entry((stream.clone(), *n)).or_insert_with(|| text.to_owned());
                assert_eq!(*known, text, "two servers tell {position} differently");
            }
        }
        let last = self.last.load(Ordering::SeqCst);
        last > 0 && at.as_ref().is_some_and(|(_, n)| *n >= last)
    }
}

impl Oracle {
    fn acknowledge(&self, subject: &str, index: u64, position: u64, sent: Timestamp) {
        let mut told = self.told.lock();
        told.acknowledged.push((subject.to_owned(), index, position));
        told.writes.push((sent, now()));
    }
}

/// Publishes the events of one incident, each as often as it takes to be acknowledged, through any server.
async fn publish(oracle: Arc<Oracle>, urls: Urls, number: u64) {
    let subject = format!("load-{number}");
    let mut attempt = number as usize;
    for index in 1.. {
        let is_last = oracle.enough.load(Ordering::SeqCst) && index > 1;
        let (kind, data) = match (index, is_last) {
            (1, _) => {
                ("incident_started", json!({ "title": "Load", "severity": "SEV4", "services": ["checkout"] }))
            }
            (_, true) => ("incident_resolved", json!({ "outcome": "resolved", "summary": "It is over." })),
            _ => (
                "agent_action",
                json!({ "agent": "load", "action": "observed", "status": "completed", "summary": format!("note {index}") }),
            ),
        };
        let event = json!({
            "specversion": "1.0", "id": index.to_string(), "source": format!("/{subject}"), "type": kind,
            "subject": subject, "time": now().to_string(), "data": data,
        });
        let body = event.to_string();
        let (position, sent) = loop {
            let sent = now();
            if let Some(address) = address(&urls, attempt) {
                let request = Http::new(address, "POST", "/api/events")
                    .header("Content-Type", "application/cloudevents+json")
                    .body(&body);
                match timeout(Duration::from_secs(4), request.try_send()).await {
                    Ok(Some(reply)) if reply.status == 200 => {
                        let answer: Value = serde_json::from_str(&reply.body).unwrap();
                        let stored = &answer["results"][0];
                        assert_eq!(stored["index"].as_u64(), Some(index), "{answer}");
                        break (stored["position"].as_u64().unwrap(), sent);
                    }
                    // It may be stored or not: the same event again tells.
                    Ok(Some(reply)) => assert!([503, 504, 429].contains(&reply.status), "{index}: {reply:?}"),
                    Ok(None) | Err(_) => {}
                }
            }
            attempt += 1;
            sleep(ms(50)).await;
        };
        oracle.acknowledge(&subject, index, position, sent);
        if is_last {
            return;
        }
        attempt += 1;
        sleep(ms(30)).await;
    }
}
