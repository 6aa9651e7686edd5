//! One socket: a cursor into the hub, written to in large pieces, with a heartbeat, a deadline for slow readers
//! and a close code for every end.
//!
//! There is no queue a client. Frames are shared bytes from the hub's ring; what is pending goes out in one
//! vectored write. Reading, pongs and the closing handshake are tungstenite's; both sides take turns on frame
//! boundaries because one task owns the socket.

mod close;
mod write;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::contract::Position;
use crate::hub::{Hub, Pending};
use crate::metrics::Client;

pub use close::End;

/// How connections behave.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a full socket may take nothing before it is closed.
    pub write_deadline: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { write_deadline: Duration::from_secs(10) }
    }
}

/// Bytes joined into one write. Below the socket's send buffer, so that a reader that keeps up takes them whole.
const BATCH_BYTES: usize = 64 * 1024;

/// The largest message a client may send. What it says is ignored; this bounds what that costs.
pub const MAX_INBOUND_BYTES: usize = 16 * 1024;

/// Messages a client may send in one heartbeat interval.
const MAX_INBOUND_RATE: u32 = 500;

/// A ping goes out every this many heartbeats …
const PING_EVERY: u32 = 3;

/// … and a client that was silent for this many is gone.
const SILENT_FOR: u32 = 9;

/// Serves one client until it goes or has to. `handshake_tail` is what it sent behind the handshake. A value in
/// `drain` asks the connection to leave at a random moment within that time.
pub async fn serve(
    tcp: TcpStream,
    handshake_tail: Vec<u8>,
    (opened, cursor): (Bytes, u64),
    hub: Arc<Hub>,
    settings: Settings,
    drain: watch::Receiver<Option<Duration>>,
    client: Client,
) -> End {
    // Small buffers: a client sends a pong now and then, and an idle one should cost next to nothing.
    let config = WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(64 * 1024)
        .max_message_size(Some(MAX_INBOUND_BYTES))
        .max_frame_size(Some(MAX_INBOUND_BYTES));
    let socket = WebSocketStream::from_partially_read(tcp, handshake_tail, Role::Server, Some(config)).await;
    let head = hub.head();
    let mut beats = interval_at(Instant::now() + hub.heartbeat_interval(), hub.heartbeat_interval());
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = Connection {
        socket,
        hub,
        cursor,
        settings,
        head,
        silent_beats: 0,
        inbound: 0,
        beats_to_ping: PING_EVERY,
        drain,
        client,
    };
    let end = match connection.run(opened, &mut beats).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    connection.say_goodbye(&end).await;
    end
}

struct Connection {
    socket: WebSocketStream<TcpStream>,
    hub: Arc<Hub>,
    /// Position of the last event that was written.
    cursor: u64,
    settings: Settings,
    head: watch::Receiver<u64>,
    /// Heartbeats since the client was last heard.
    silent_beats: u32,
    /// Messages from the client since the last heartbeat.
    inbound: u32,
    beats_to_ping: u32,
    /// Becomes `Some` when everybody is asked to leave.
    drain: watch::Receiver<Option<Duration>>,
    /// Where deliveries are counted.
    client: Client,
}

/// There is no way to end well: every end has a reason.
enum Never {}

impl Connection {
    async fn run(&mut self, opened: Bytes, beats: &mut Interval) -> Result<Never, End> {
        self.write(&[opened], false).await?;
        self.hear_pending()?;
        let mut leave_at: Option<Instant> = None;
        // Made once: what is awaited anew at every turn is registered anew at every turn.
        let mut drain = self.drain.clone();
        let asked = async { drain.wait_for(Option::is_some).await.map_or(None, |within| *within) };
        let mut asked_to_leave = pin!(asked.fuse());
        loop {
            self.write_pending().await?;
            tokio::select! {
                changed = self.head.changed() => if changed.is_err() { return Err(End::Restart) },
                readable = self.socket.get_ref().readable() => match readable {
                    Ok(()) => self.hear_pending()?,
                    Err(_) => return Err(End::Gone),
                },
                _ = beats.tick() => self.beat().await?,
                within = &mut asked_to_leave => {
                    // A server that is gone altogether asks too.
                    let within = within.unwrap_or_default();
                    leave_at = Some(Instant::now() + within.mul_f64(crate::random::unit()));
                }
                () = async { sleep_until(leave_at.unwrap_or_else(Instant::now)).await }, if leave_at.is_some() => {
                    return Err(End::Restart);
                }
            }
        }
    }

    /// Reads whatever has arrived. Only called when something may have: polling the socket's reader at every wake
    /// would cost more than all the rest of a wake.
    fn hear_pending(&mut self) -> Result<(), End> {
        while let Some(message) = self.socket.next().now_or_never() {
            self.hear(message)?;
        }
        Ok(())
    }

    /// Writes until the cursor is at the head.
    async fn write_pending(&mut self) -> Result<(), End> {
        loop {
            self.head.mark_unchanged();
            match self.hub.pending(self.cursor, BATCH_BYTES).await {
                Ok(Pending::Frames(frames)) => {
                    self.write(&frames, true).await?;
                    self.cursor += frames.len() as u64;
                    let bytes = frames.iter().map(|frame| frame.len() as u64).sum();
                    self.client.delivered(frames.len() as u64, bytes);
                }
                Ok(Pending::CaughtUp) => return Ok(()),
                Ok(Pending::Expired) => return Err(End::Expired(self.position())),
                Err(error) => return Err(End::Journal(error.to_string())),
            }
        }
    }

    /// What a client says is ignored; that it says something shows it is there.
    fn hear(&mut self, message: Option<Result<Message, Error>>) -> Result<(), End> {
        self.silent_beats = 0;
        match message {
            None | Some(Ok(Message::Close(_))) => Err(End::Left),
            Some(Err(error)) => Err(End::of(error)),
            Some(Ok(_)) => {
                self.inbound += 1;
                if self.inbound > MAX_INBOUND_RATE { Err(End::Flood) } else { Ok(()) }
            }
        }
    }

    /// Tells a caught-up client where the head is, and asks now and then whether it is there.
    async fn beat(&mut self) -> Result<(), End> {
        self.inbound = 0;
        self.silent_beats += 1;
        if self.silent_beats > SILENT_FOR {
            return Err(End::NoPong);
        }
        self.beats_to_ping -= 1;
        if self.beats_to_ping == 0 {
            self.beats_to_ping = PING_EVERY;
            let ping = self.socket.send(Message::Ping(Bytes::new()));
            match tokio::time::timeout(self.settings.write_deadline, ping).await {
                Ok(sent) => sent.map_err(End::of)?,
                Err(_) => return Err(End::Slow(self.position())),
            }
        }
        let heartbeat = self.hub.heartbeat(self.cursor);
        self.write(&[heartbeat], false).await
    }

    fn position(&self) -> Position {
        Position { stream: self.hub.stream().clone(), n: self.cursor }
    }
}
