//! A server inside a program: plays one scenario from memory and prints what its agents do.
//!
//! `cargo run --example embed` — a dashboard is at the printed address meanwhile.

use incident::client::{Endpoints, Follower, Item};
use incident::contract::{Message, StreamId};
use incident::journal::{Journal, Memory, Retention};
use incident::scenario::Library;
use incident::server::{Options, Server};
use incident::visible::visible;
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let library = Library::shipped().map_err(|mut errors| errors.remove(0))?;
    let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
    let options = Options { speed: "20".parse()?, ..Options::default() };
    let server = Server::bind(options, library, journal).await?;
    println!("http://{}/", server.address());

    let endpoint: Endpoints = format!("ws://{}/ws", server.address()).parse()?;
    let started = server.trigger("database-outage").await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async { drop(stopped.await) }));

    let mut follower = Follower::connect(endpoint, Some("0".to_owned()), true).await?;
    while let Some(item) = follower.next().await? {
        let Item::Event { envelope, .. } = item else { continue };
        match envelope.message()? {
            Message::AgentAction(action) => {
                println!("{:<12} {}", visible(&action.agent), visible(&action.summary));
            }
            Message::IncidentResolved(end) if envelope.incident() == started.id => {
                println!("{} is resolved: {}", started.id, visible(&end.summary));
                break;
            }
            _ => {}
        }
    }
    drop(stop);
    serving.await?;
    Ok(())
}
