//! Sessions that go on when a client comes back: without a certificate and a signature.

use std::sync::Arc;

use incident::journal::Retention;
use incident::server::{Identity, Options};
use rustls::client::Resumption;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};

use super::{Authority, local};
use crate::harness::{Local, Raw, options};

/// A client with a memory of its own for tickets.
fn client(authority: &Authority, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut config = authority.client_of(&[version]).as_ref().clone();
    config.resumption = Resumption::in_memory_sessions(8);
    Arc::new(config)
}

/// Connects, reads the greeting, behind which is the ticket, and leaves.
async fn visit(server: &Local, config: &Arc<ClientConfig>) -> HandshakeKind {
    let mut raw = Raw::connect(server.address).await.encrypt(config).await.upgrade("").await;
    assert!(raw.text().await.contains("stream_opened"));
    raw.unwrapped().1.handshake_kind().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_clients_that_come_back_goes_on_with_its_session() {
    let authority = Authority::with_server();
    let server = local(&authority, Options { admit_rate: 100_000, ..options() }).await;
    for version in [&TLS12, &TLS13] {
        let clients: Vec<_> = (0..300).map(|_| client(&authority, version)).collect();
        for client in &clients {
            assert_eq!(visit(&server, client).await, HandshakeKind::Full);
        }
        // Twice, because a resumed session brings a ticket, too.
        for client in clients.iter().chain(&clients) {
            assert_eq!(visit(&server, client).await, HandshakeKind::Resumed, "{:?}", version.version);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_after_a_renewal_is_shown_the_new_certificate() {
    let authority = Authority::with_server();
    let identity = Arc::new(authority.identity(Identity::new).unwrap());
    let tls = Some(Arc::clone(&identity).config().unwrap());
    let server = Local::with(Options { tls, ..options() }, Retention::default()).await;
    for version in [&TLS12, &TLS13] {
        let client = client(&authority, version);
        assert_eq!(visit(&server, &client).await, HandshakeKind::Full);
        assert_eq!(visit(&server, &client).await, HandshakeKind::Resumed);
        authority.issues("server", &["localhost", "127.0.0.1"]);
        authority.identity(|certificate, key| identity.replace(certificate, key)).unwrap();
        assert_eq!(visit(&server, &client).await, HandshakeKind::Full, "{:?}", version.version);
        assert_eq!(visit(&server, &client).await, HandshakeKind::Resumed);
    }
}
