//! One connection to a server, WebSocket or event stream, as observations.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use tokio::time::{Instant, timeout, timeout_at};

use super::inbox::Post;
use super::session::Session;
use crate::check::{Bookmark, Closing, Observation, Profile, Purpose, Resume, ServerEvent};
use crate::cli::exit::Failure;
use crate::client::{
    ClientError, Ended, Endpoint, Endpoints, EventStream, EventStreamItem, Parsed, Socket, SocketEvent,
    Subscription,
};

/// The header with which a client of an event stream resumes.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long a connection that has been judged may take to close.
const CLOSING: Duration = Duration::from_secs(1);

/// How long one of several servers may take to open a stream, before another one is asked.
const OPENING: Duration = Duration::from_secs(3);

/// Where to connect, and what to say there.
#[derive(Debug, Clone)]
pub(super) struct Dial {
    /// The server that is judged.
    pub(super) endpoint: Endpoint,
    /// All servers of its stream, itself included.
    pub(super) servers: Endpoints,
    pub(super) subscription: Subscription,
    /// `None` for our own servers.
    pub(super) profile: Option<Arc<Profile>>,
    /// The servers that take connections and do not answer: they are asked no more.
    pub(super) silent: Arc<Mutex<Vec<Endpoint>>>,
}

/// Where a connection resumes.
pub(super) enum After<'a> {
    /// Where the server begins without being asked.
    Nothing,
    /// After a position of our own stream, or after a text that is not a position.
    Position(&'a str),
    /// After an event of another program's stream.
    Event(&'a Bookmark),
}

impl Dial {
    /// One of our own servers.
    pub(super) fn ours(endpoint: Endpoint) -> Self {
        Self {
            servers: endpoint.clone().into(),
            endpoint,
            subscription: Subscription::default(),
            profile: None,
            silent: Arc::default(),
        }
    }

    /// Chooses the server that is judged: the first of several that is ready.
    ///
    /// # Errors
    /// None of them is.
    pub(super) async fn choose(&mut self) -> Result<(), ClientError> {
        self.servers.be_ready().await?;
        self.endpoint = self.servers.current().clone();
        Ok(())
    }

    /// The server of connection `number`: the connections after the one that is judged go round all servers that answer.
    fn server(&self, number: u32) -> &Endpoint {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let servers: Vec<&Endpoint> =
            self.servers.from_current().filter(|server| !silent.contains(server)).collect();
        servers.get(number as usize % servers.len().max(1)).copied().unwrap_or(&self.endpoint)
    }

    /// Asks a server no more. Several connections may have waited for it at the same time.
    fn leave_out(&self, server: &Endpoint) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if !silent.contains(server) {
            silent.push(server.clone());
        }
    }

    /// What to say of each server that has not answered.
    pub(super) fn not_checked(&self) -> Vec<String> {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let said = |server| format!("not checked: {server} did not answer within {} s", OPENING.as_secs());
        silent.iter().map(said).collect()
    }

    /// What to say to resume; `None` if the profile has no way, or the event lacks what the way needs.
    pub(super) fn subscription(&self, after: &After<'_>) -> Option<Subscription> {
        let mut said = self.subscription.clone();
        match after {
            After::Nothing => {}
            After::Position(position) if self.endpoint.is_event_stream() => {
                said.headers.push((LAST_EVENT_ID, HeaderValue::from_str(position).ok()?));
            }
            After::Position(position) => said.add_query(&format!("after={position}")),
            After::Event(bookmark) => match self.profile.as_ref()?.resume.as_ref()?.filled(bookmark)? {
                Resume::Query(query) => said.add_query(&query),
                Resume::Send(texts) => said.send = texts,
                Resume::Header(name, value) => {
                    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                    said.headers.push((name, HeaderValue::from_bytes(value.as_bytes()).ok()?));
                }
            },
        }
        Some(said)
    }

    /// Opens connection `number`.
    pub(super) async fn open(&self, number: u32, after: &After<'_>) -> Result<Opened, ClientError> {
        let Some(said) = self.subscription(after) else {
            let why = "it can't be asked for what follows this event".to_owned();
            return Err(ClientError::Answer { url: self.endpoint.to_string(), why });
        };
        let server = self.server(number);
        let opened = if *server == self.endpoint {
            self.open_at(server, &said).await
        } else {
            match timeout(OPENING, self.open_at(server, &said)).await {
                // A server that is away says nothing about the stream: another one has it too.
                Ok(Err(error)) if error.is_of_one_server() => self.open_at(&self.endpoint, &said).await,
                Ok(opened) => opened,
                Err(_) => {
                    self.leave_out(server);
                    self.open_at(&self.endpoint, &said).await
                }
            }
        };
        match opened {
            Ok(wire) => Ok(Opened::Link(Link { number, wire })),
            Err(error @ ClientError::Status { status, .. }) => Ok(Opened::Refused(status, error)),
            Err(error) => Err(error),
        }
    }
}

impl Dial {
    async fn open_at(&self, server: &Endpoint, said: &Subscription) -> Result<Wire, ClientError> {
        if server.is_event_stream() {
            return Ok(Wire::Events(Box::new(EventStream::open(server, said).await?)));
        }
        Ok(Wire::Socket(Box::new(Socket::open(server, said, self.profile.is_none()).await?)))
    }

    /// The same within a time. An error says in words why there is no connection.
    pub(super) async fn open_within(
        &self,
        number: u32,
        after: &After<'_>,
        limit: Duration,
    ) -> Result<Opened, String> {
        match timeout(limit, self.open(number, after)).await {
            Ok(opened) => opened.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the server did not answer within {} s", limit.as_secs())),
        }
    }
}

/// A connection that is open.
pub(super) struct Link {
    number: u32,
    wire: Wire,
}

enum Wire {
    Socket(Box<Socket>),
    Events(Box<EventStream>),
}

/// How opening a connection ended.
pub(super) enum Opened {
    /// It is open.
    Link(Link),
    /// The server refused it with an HTTP status, which the error puts in words.
    Refused(u16, ClientError),
}

impl Link {
    /// Sends everything that arrives until the connection ends or nobody listens any more.
    pub(super) async fn follow(mut self, out: Post) {
        loop {
            let seen = tokio::select! {
                seen = self.next() => seen,
                () = out.closed() => return self.close().await,
            };
            let last = matches!(seen, Observation::Closed(_));
            if !out.send((self.number, Instant::now(), seen)).await || last {
                return self.close().await;
            }
        }
    }

    /// The next message, or the end.
    pub(super) async fn next(&mut self) -> Observation {
        loop {
            let next = match &mut self.wire {
                Wire::Socket(socket) => of_socket(socket.receive().await),
                Wire::Events(stream) => of_events(stream.next().await),
            };
            if let Some(observation) = next {
                return observation;
            }
        }
    }

    pub(super) async fn close(self) {
        if let Wire::Socket(socket) = self.wire {
            socket.close().await;
        }
    }
}

/// What something on a WebSocket is; `None` if it says nothing.
fn of_socket(event: SocketEvent) -> Option<Observation> {
    Some(match event {
        SocketEvent::Text(text) => Observation::Text(text),
        SocketEvent::Binary(bytes) => Observation::Binary(bytes),
        SocketEvent::Alive => return None,
        SocketEvent::Closed { code, reason, how } => Observation::Closed(match how {
            Ended::Closed => Closing::Frame(code, reason),
            Ended::Lost => Closing::Lost(reason),
            Ended::Protocol => Closing::Protocol(reason),
        }),
    })
}

/// The same for an event stream.
fn of_events(item: EventStreamItem) -> Option<Observation> {
    let malformed = |why: &str| Observation::Closed(Closing::Malformed(why.to_owned()));
    Some(match item {
        EventStreamItem::Parsed(Parsed::Event { data, id, name }) => {
            Observation::Event(ServerEvent { data, id, name: Some(name).filter(|name| !name.is_empty()) })
        }
        EventStreamItem::Parsed(Parsed::Comment(text)) => Observation::Comment(text),
        EventStreamItem::Parsed(Parsed::Retry(_)) => return None,
        EventStreamItem::Parsed(Parsed::InvalidUtf8) => malformed("it has bytes that are not UTF-8"),
        EventStreamItem::Ended { is_unfinished } => {
            Observation::Closed(Closing::Finished { is_cut: is_unfinished })
        }
        EventStreamItem::Lost(why) | EventStreamItem::Malformed(why) => malformed(&why),
    })
}

/// Opens a connection and observes what arrives until `is_enough` says so of a text, the connection ends, or `limit` is
/// over.
pub(super) async fn probe(
    session: &mut Session,
    number: u32,
    dial: &Dial,
    after: &str,
    purpose: Purpose,
    limit: Duration,
    is_enough: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let until = Instant::now() + limit;
    let link = match dial.open_within(number, &After::Position(after), limit).await {
        Ok(Opened::Link(link)) => link,
        // The server has no room, or asks to come later: that says nothing about the position.
        Ok(Opened::Refused(429 | 503, _)) => return Ok(()),
        Ok(Opened::Refused(status, _)) => {
            session.observe(number, Instant::now(), Observation::Refused(purpose, status))?;
            return Ok(());
        }
        Err(why) => {
            session.observe(number, Instant::now(), Observation::Opened(purpose.failed(why)))?;
            return Ok(());
        }
    };
    session.observe(number, Instant::now(), Observation::Opened(purpose))?;
    // What is missing until then is a finding.
    if link.observe(session, |since| until.min(since + limit), is_enough).await? {
        return Ok(());
    }
    session.cut(number, limit)
}

/// After so long without a message no more is coming.
const QUIET: Duration = Duration::from_millis(500);

impl Link {
    /// Observes what arrives until `is_enough` says so of a text, the connection ends, or nothing arrives until the moment
    /// that `until` says, to which the last message counts. Then closes the connection. Returns `false` if messages were still
    /// coming at that moment.
    pub(super) async fn observe(
        mut self,
        session: &mut Session,
        until: impl Fn(Instant) -> Instant,
        is_enough: impl Fn(&str) -> bool,
    ) -> Result<bool, Failure> {
        let mut heard = Instant::now();
        let mut has_ended = true;
        loop {
            let Ok(next) = timeout_at(until(heard), self.next()).await else {
                // The time may also be over between two of many messages.
                has_ended = heard.elapsed() >= QUIET;
                break;
            };
            let enough = match &next {
                Observation::Text(text) => is_enough(text),
                Observation::Event(event) => is_enough(&event.data),
                Observation::Comment(_) => false,
                _ => true,
            };
            heard = Instant::now();
            session.observe(self.number, heard, next)?;
            if enough {
                break;
            }
            // As long as there is always a next one, no time runs out above.
            if heard >= until(heard) {
                has_ended = false;
                break;
            }
        }
        // A server that is stuck may not answer.
        let _ = timeout(CLOSING, self.close()).await;
        Ok(has_ended)
    }
}
