//! TLS of the server and of every command that talks to one.

mod authority;
mod commands;
mod direct;
mod distrust;
mod files;
mod hostile;
mod listeners;
mod plain;
mod renewal;
mod resumption;
mod slow;

pub use authority::Authority;

use incident::client::{Endpoint, Trust};
use incident::contract::Position;
use incident::journal::Retention;
use incident::server::Options;

use crate::harness::{Local, Raw, Serving, envelope};

/// A server with a certificate of that authority, and further flags.
fn serving(authority: &Authority, name: &str, args: &[&str]) -> Serving {
    let flags = authority.flags(name);
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(args.iter().copied()).collect();
    Serving::with(&flags)
}

/// A server in this process with a certificate of that authority.
async fn local(authority: &Authority, options: Options) -> Local {
    Local::with(Options { tls: Some(authority.server()), ..options }, Retention::default()).await
}

/// A WebSocket over TLS, shaken hands for.
async fn listener(authority: &Authority, server: &Local, query: &str) -> Raw {
    Raw::connect(server.address).await.encrypt(&authority.client()).await.upgrade(query).await
}

/// Its texts up to an event's position.
async fn up_to(raw: &mut Raw, position: u64) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let text = raw.text().await;
        let at = position_of(&text);
        texts.extend(at.is_some().then_some(text));
        if at.is_some_and(|at| at.n >= position) {
            return texts;
        }
    }
}

fn position_of(text: &str) -> Option<Position> {
    envelope(text).position()
}

/// Of a server in this process, for the program's own client.
fn endpoint(authority: &Authority, server: &Local) -> Endpoint {
    let endpoint: Endpoint = format!("wss://{}/ws", server.address).parse().unwrap();
    endpoint.with_trust(Trust::in_file(&authority.folder().join("ca.pem")).unwrap())
}
