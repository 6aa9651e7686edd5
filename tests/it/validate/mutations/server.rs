//! A server that does what no server should do: it sends bytes, at times, as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::harness::unmasked;
use crate::validate::sound::{STREAM, Stream, text};

/// How many times faster than planned the server plays.
pub const SPEED: f64 = 100.0;

/// What the server does next.
#[derive(Clone)]
pub enum Act {
    /// Sends bytes at a second of the stream.
    Send(f64, Vec<u8>),
    /// Sends nothing for so many real seconds.
    Wait(f64),
    /// Breaks the connection.
    Reset,
    /// Ends it without a close frame.
    End,
}

/// What the server does to whom.
#[derive(Clone)]
pub struct Script {
    /// To the first client.
    pub main: Vec<Act>,
    /// To the second one.
    pub twin: Vec<Act>,
    /// What a client that resumes after a position gets: the events after it, if nothing is wrong.
    pub resumed: fn(Vec<String>) -> Answer,
    /// What a client gets that asks for a position that is none, or for one that cannot be resumed.
    pub wrong: fn(Answer) -> Answer,
}

/// What a client gets that asks for a position.
#[derive(Clone)]
pub enum Answer {
    /// A status instead of a handshake.
    Refused(u16),
    /// A reset instead of a handshake.
    Reset,
    /// Nothing at all.
    Hang,
    /// A handshake, these texts, and then an end without a close frame.
    Broken(Vec<String>),
    /// A greeting with this reason of a reset, or without one, and then texts.
    Greeted(Option<&'static str>, Vec<String>),
}

/// A frame as a server sends it.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    unmasked(opcode, payload)
}

pub fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// The acts of a stream, at its seconds.
pub fn acts(stream: &Stream) -> Vec<Act> {
    let acts =
        stream.frames.iter().map(|(message, at)| Act::Send(*at, frame(0x81, text(message).as_bytes())));
    acts.collect()
}

/// Serves everybody until the test ends. Its URL.
pub async fn serve(script: Script, stream: &Stream) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let (script, stream) = (Arc::new(script), Arc::new(stream.clone()));
    let clients = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (script, stream, clients) = (Arc::clone(&script), Arc::clone(&stream), Arc::clone(&clients));
            tokio::spawn(async move {
                // The client may go at any moment.
                let _ = talk(tcp, &script, &stream, &clients).await;
            });
        }
    });
    url
}

async fn talk(
    mut tcp: TcpStream,
    script: &Script,
    stream: &Stream,
    clients: &AtomicUsize,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let after =
        head.split_once("?after=").map(|(_, rest)| rest.split(' ').next().unwrap().replace("%2F", "/"));
    let answer = after.as_ref().map(|after| match resume(after, stream) {
        Ok(events) => (script.resumed)(events),
        Err(wrong) => (script.wrong)(wrong),
    });
    if let Some(Answer::Refused(status)) = answer {
        let refusal = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return tcp.write_all(refusal.as_bytes()).await;
    }
    let number = if answer.is_none() { clients.fetch_add(1, Ordering::Relaxed) } else { 0 };
    let is_refused_twin = number > 0 && matches!(script.twin.first(), Some(Act::Reset));
    if is_refused_twin || matches!(answer, Some(Answer::Reset)) {
        return socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO));
    }
    if matches!(answer, Some(Answer::Hang)) || number > 0 && matches!(script.twin.first(), Some(Act::Wait(_)))
    {
        return tcp.read_to_end(&mut Vec::new()).await.map(drop);
    }
    let key = head.lines().find_map(|line| {
        line.strip_prefix("Sec-WebSocket-Key: ").or(line.strip_prefix("sec-websocket-key: "))
    });
    let accept = derive_accept_key(key.unwrap().trim().as_bytes());
    let shake = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: cloudevents.json\r\n\r\n"
    );
    tcp.write_all(shake.as_bytes()).await?;
    let acts = match answer {
        Some(Answer::Broken(events)) => {
            let after = after.as_deref().and_then(|after| after.split_once('/')?.1.parse().ok());
            let greeting = greeting(stream, None, after.unwrap_or(0));
            let texts = Some(greeting).filter(|_| !events.is_empty()).into_iter().chain(events);
            let texts = texts.map(|text| Act::Send(0.0, frame(0x81, text.as_bytes())));
            texts.chain([Act::End]).collect()
        }
        Some(Answer::Greeted(reason, texts)) => {
            let after = after.as_deref().and_then(|after| after.split_once('/')?.1.parse().ok());
            let greeting = greeting(stream, reason, after.unwrap_or(0));
            // Like every good server it says when a client has all events.
            let beat =
                stream.frames.iter().rfind(|(frame, _)| frame["type"] == "heartbeat").map(|(frame, _)| {
                    let mut beat = frame.clone();
                    beat["data"]["head"] = stream.events().len().into();
                    beat.to_string()
                });
            let texts = [greeting].into_iter().chain(texts).chain(beat);
            texts.map(|text| Act::Send(0.0, frame(0x81, text.as_bytes()))).collect()
        }
        _ if number == 0 => script.main.clone(),
        _ => script.twin.clone(),
    };
    perform(tcp, acts).await
}

async fn perform(mut tcp: TcpStream, acts: Vec<Act>) -> std::io::Result<()> {
    let mut began = Instant::now();
    for act in acts {
        match act {
            Act::Send(at, bytes) => {
                sleep_until(began + Duration::from_secs_f64(at / SPEED)).await;
                tcp.write_all(&bytes).await?;
            }
            Act::Wait(seconds) => {
                sleep(Duration::from_secs_f64(seconds)).await;
                began += Duration::from_secs_f64(seconds);
            }
            Act::Reset => return socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO)),
            Act::End => return Ok(()),
        }
    }
    // Until the client goes.
    let mut rest = Vec::new();
    tcp.read_to_end(&mut rest).await.map(drop)
}

/// The events after a position, or what a good server answers if there are none.
fn resume(after: &str, stream: &Stream) -> Result<Vec<String>, Answer> {
    let (name, n) = after.split_once('/').ok_or(Answer::Refused(400))?;
    let n: u64 = n.parse().ok().filter(|n| *n < 1 << 53).ok_or(Answer::Refused(400))?;
    if name != STREAM {
        return Err(Answer::Greeted(Some("other-stream"), Vec::new()));
    }
    if n > stream.events().len() as u64 {
        return Err(Answer::Greeted(Some("ahead"), Vec::new()));
    }
    Ok(stream.resume(n).frames)
}

fn greeting(stream: &Stream, reason: Option<&str>, after: u64) -> String {
    let mut greeting = stream.frames[0].0.clone();
    let head = stream.events().len() as u64;
    greeting["data"]["head"] = head.into();
    greeting["data"]["follows"] = match reason {
        None => json!({ "kind": "resumed", "from": after + 1, "to": head }),
        Some(reason) => json!({ "kind": "reset", "reason": reason, "from": head + 1, "to": head }),
    };
    Value::to_string(&greeting)
}
