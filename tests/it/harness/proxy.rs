//! A TCP proxy that cuts connections: a browser's own offline switch leaves open sockets open.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Both ways to their end, or so many bytes to the client.
async fn pass(client: &mut TcpStream, server: &mut TcpStream, most: u64) {
    let (mut from_client, mut to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    let mut some = from_server.take(most);
    let there = async {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
    };
    let back = async {
        if tokio::io::copy(&mut some, &mut to_client).await.is_ok_and(|passed| passed == most) {
            std::future::pending::<()>().await;
        }
        let _ = to_client.shutdown().await;
    };
    tokio::join!(there, back);
}

/// Stands between clients and a server.
pub struct Proxy {
    pub address: SocketAddr,
    /// Counts the cuts; odd while nothing may pass.
    state: watch::Sender<u64>,
    /// Which of the servers is behind it.
    server: watch::Sender<usize>,
    /// How many bytes of the server's pass on a new connection.
    most: watch::Sender<u64>,
}

impl Proxy {
    pub async fn to(server: SocketAddr) -> Self {
        Self::between(vec![server]).await
    }

    /// Several servers, of which one is connected to: the first until [`Proxy::switch`].
    pub async fn between(servers: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watching) = watch::channel(0);
        let (server, chosen) = watch::channel(0);
        let (most, passing) = watch::channel(u64::MAX);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut watching = watching.clone();
                let now = *watching.borrow_and_update();
                if now % 2 == 1 {
                    continue;
                }
                let server = servers[*chosen.borrow()];
                let most = *passing.borrow();
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(server).await else { return };
                    tokio::select! {
                        () = pass(&mut client, &mut server, most) => {}
                        _ = watching.wait_for(|state| *state != now) => {}
                    }
                });
            }
        });
        Self { address, state, server, most }
    }

    /// Of new connections, lets only so many bytes pass to the client, and leaves them open.
    pub fn pass_only(&self, bytes: u64) {
        self.most.send_replace(bytes);
    }

    /// Cuts every connection; new ones pass.
    pub fn cut(&self) {
        self.state.send_modify(|state| *state += 2);
    }

    /// Cuts every connection; new ones go to another server.
    pub fn switch(&self, server: usize) {
        self.server.send_replace(server);
        self.cut();
    }

    /// Cuts every connection and lets none pass …
    pub fn close(&self) {
        self.state.send_modify(|state| *state += 1);
    }

    /// … until now.
    pub fn open(&self) {
        self.state.send_modify(|state| *state += 1);
    }
}
