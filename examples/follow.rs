//! Follows a stream, reconnects and resumes: `cargo run --example follow -- ws://127.0.0.1:7911/ws [STREAM/N]`. Several servers
//! of the same stream are `URL,URL`.
//!
//! Every position arrives once and in order, whatever happens to the connection; what can't be had is reported.

#![expect(clippy::print_stderr, reason = "a program for a terminal")]

use incident::client::{Endpoints, Follower, Item};
use incident::visible::visible;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:7911/ws".to_owned());
    let servers: Endpoints = url.parse()?;
    let mut follower = Follower::connect(servers, arguments.next(), true).await?;
    while let Some(item) = follower.next().await? {
        match item {
            Item::Event { envelope, .. } => {
                let position = envelope.position().ok_or("an event without a position")?;
                // What a server says is shown, never obeyed by the terminal.
                println!("{position} {} {}", visible(envelope.incident()), visible(&envelope.kind));
                if envelope.kind == "incident_resolved" {
                    break;
                }
            }
            Item::Gap { from, to } => eprintln!("positions {from} to {to} are missing"),
            Item::Lost { reason, retry_in, next } => {
                eprintln!("{}; trying again in {retry_in:?} at {next}", visible(&reason));
            }
            Item::Back { lost, .. } => eprintln!("back; lost: {lost:?}"),
            Item::Opened(_) | Item::Heartbeat(_) | Item::NotAnEvent(_) => {}
        }
    }
    Ok(())
}
