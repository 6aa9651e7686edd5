//! A TCP proxy that cuts connections: a browser's own offline switch leaves open sockets open.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Stands between clients and a server.
pub struct Proxy {
    pub address: SocketAddr,
    /// Counts the cuts; odd while nothing may pass.
    state: watch::Sender<u64>,
    /// Which of the servers is behind it.
    server: watch::Sender<usize>,
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
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut watching = watching.clone();
                let now = *watching.borrow_and_update();
                if now % 2 == 1 {
                    continue;
                }
                let server = servers[*chosen.borrow()];
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(server).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = watching.wait_for(|state| *state != now) => {}
                    }
                });
            }
        });
        Self { address, state, server }
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
