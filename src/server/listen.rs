//! Accepting: one task a connection, HTTP/1.1 with deadlines, until the server drains.

use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::auth::Peer;
use super::{App, routes};

/// How long a client may take to send a request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// The largest head of a request.
const HEAD_BYTES: usize = 16 * 1024;

/// Connections that speak HTTP at once. Those that became a WebSocket are counted apart, by `max_clients`.
const CONVERSATIONS: usize = 1_024;

/// Accepts for ever.
pub(super) async fn accept(listener: TcpListener, app: Arc<App>) {
    let router = routes::router(Arc::clone(&app));
    let room = Arc::new(Semaphore::new(CONVERSATIONS));
    loop {
        // Never closed: the permit always comes. Who finds no room waits in the backlog.
        let permit = Arc::clone(&room).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let service = TowerToHyperService::new(router.clone());
                let conversation = converse(stream, Peer(peer.ip()), service, Arc::clone(&app));
                app.connections.spawn(async move {
                    conversation.await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of descriptors, mostly: those that are open go on, and some will close.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, peer: Peer, router: TowerToHyperService<axum::Router>, app: Arc<App>) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    // Without it a frame waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut drain = app.drain.clone();
    let ended = tokio::select! {
        ended = &mut connection => ended,
        // The guard that `wait_for` gives must not live across an await.
        () = async { drop(drain.wait_for(Option::is_some).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}
