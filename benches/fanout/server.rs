//! The server that is measured: the whole of it, from the journal to the socket; only the player is missing.

use std::io;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use incident::contract::{MessageType, StreamId};
use incident::journal::{Journal, Memory, Place, Record, Retention};
use incident::scenario::Library;
use incident::server::{Options, Server};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::certificate;
use crate::child::Order;
use crate::common::message;

/// How long a socket may take nothing.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_secs(3);

pub(crate) fn run(clients: u32) -> anyhow::Result<()> {
    // The runtime of `incident serve`.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(clients))
}

async fn serve(clients: u32) -> anyhow::Result<()> {
    let stream = StreamId::generate(jiff::Timestamp::now().as_millisecond() as u64, 0);
    let journal = Journal::new(Memory::new(stream, Retention::default()));
    let options = Options {
        max_clients: clients,
        // They come as fast as they can, all from one address.
        admit_rate: 1_000_000,
        write_deadline: WRITE_DEADLINE,
        tls: certificate::told()?,
        ..Options::default()
    };
    let server = Server::bind(options, Library::default(), journal.clone()).await?;
    println!("{}", server.address().port());
    tokio::spawn(server.run(std::future::pending()));

    let (sender, mut orders) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = orders.recv().await {
        // On a worker, as a player is.
        tokio::spawn(publish(journal.clone(), line.parse()?)).await??;
    }
    // Nobody listens any more: the clients have counted, a drain would only take time.
    Ok(())
}

/// Every message is an append of its own, as those of independent incidents are.
async fn publish(journal: Journal, order: Order) -> anyhow::Result<()> {
    let start = Instant::now();
    for index in 1..=order.messages {
        if let Some(due) = order.due(start.into_std(), index) {
            tokio::time::sleep_until(due.into()).await;
        }
        let record = Record {
            subject: message::SUBJECT.to_owned(),
            place: Place::At(index),
            // The hub does not read payloads.
            kind: if index == 1 { MessageType::IncidentStarted } else { MessageType::AgentAction },
            data: RawValue::from_string(message::data())?,
            plan: None,
        };
        journal.append(record).await.context("the journal refused a message of the load")?;
    }
    Ok(())
}
