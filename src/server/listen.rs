//! Accepting: one task a connection, HTTP/1.1 with deadlines, until the server drains.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::socket::{Line, Socket};
use super::{App, routes};

/// How long a client may take to send a request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// The largest head of a request.
const HEAD_BYTES: usize = 16 * 1024;

/// Connections that speak HTTP at once. Those that became a stream are counted apart, by `max_clients`.
const CONVERSATIONS: usize = 1_024;

/// A machine that acknowledged nothing for so many heartbeats is gone, as a WebSocket without pongs is.
#[cfg(target_os = "linux")]
const SILENT_FOR: u32 = 9;

/// Accepts for ever.
pub(super) async fn accept(listener: TcpListener, app: Arc<App>) {
    let router = routes::router(Arc::clone(&app));
    let room = Arc::new(Semaphore::new(CONVERSATIONS));
    loop {
        // Never closed: the permit always comes. Who finds no room waits in the backlog.
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let service = TowerToHyperService::new(router.clone());
                app.connections.spawn(converse(stream, service, Arc::clone(&app), permit));
            }
            Err(error) => {
                // Out of descriptors, mostly: those that are open go on, and some will close.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse(
    stream: TcpStream,
    service: TowerToHyperService<axum::Router>,
    app: Arc<App>,
    permit: OwnedSemaphorePermit,
) {
    // Without it a frame waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    give_up_the_dead(&stream, &app);
    let line = Line::new(permit);
    let socket = Socket::new(stream, line.clone(), app.connection.write_deadline, app.drain.clone());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(line.clone());
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(socket), service)
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

/// A machine that is gone acknowledges nothing, and nothing else tells it from one that is there: an event stream has
/// no pong. Longer than the deadlines that can say why they end a connection.
#[cfg(target_os = "linux")]
fn give_up_the_dead(stream: &TcpStream, app: &App) {
    let patience = (app.hub.heartbeat_interval() * SILENT_FOR).max(app.connection.write_deadline * 2);
    // Without it the system's own limit holds, of about a quarter of an hour.
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(patience));
}

#[cfg(not(target_os = "linux"))]
fn give_up_the_dead(_: &TcpStream, _: &App) {}
