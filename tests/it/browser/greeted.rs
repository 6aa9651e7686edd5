//! The page behind something that greets and closes: a proxy that cuts each WebSocket behind its first frame, or a server that restarts
//! again and again.

use std::net::SocketAddr;

use incident::journal::Retention;
use incident::server::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::driver::Browser;
use crate::harness::{Local, ms, options, started};

/// What becomes of a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stays until this changes.
    Stays,
    /// The connection breaks behind the greeting.
    Breaks,
    /// 1012 follows the greeting.
    Restarts,
}

/// A proxy, and what becomes of each WebSocket. Whatever changes that ends all connections.
async fn proxy(server: SocketAddr) -> (SocketAddr, watch::Sender<Fate>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (fate, fates) = watch::channel(Fate::Stays);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let mut fates = fates.clone();
            let fate = *fates.borrow_and_update();
            tokio::spawn(async move {
                tokio::select! {
                    _ = pass(client, server, fate) => {}
                    _ = fates.changed() => {}
                }
            });
        }
    });
    (address, fate)
}

async fn pass(mut client: TcpStream, server: SocketAddr, fate: Fate) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let head = head(&mut client).await?;
    server.write_all(&head).await?;
    if fate == Fate::Stays || !head.starts_with(b"GET /ws") {
        tokio::io::copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let mut greeting = self::head(&mut server).await?;
    let mut start = [0; 4];
    server.read_exact(&mut start).await?;
    let [_, short, long @ ..] = start;
    assert_eq!(short & 0x7f, 126, "a greeting has some hundred bytes");
    let mut rest = vec![0; u16::from_be_bytes(long).into()];
    server.read_exact(&mut rest).await?;
    greeting.extend(start.iter().chain(&rest));
    if fate == Fate::Restarts {
        greeting.extend([0x88, 2]);
        greeting.extend(1012_u16.to_be_bytes());
    }
    client.write_all(&greeting).await?;
    client.shutdown().await?;
    client.read_to_end(&mut rest).await?;
    Ok(())
}

/// What comes up to the empty line.
async fn head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

/// Makes each wait before a try the 64th part of the longest that it may be, and notes how long that is.
const WAITS: &str = "
    const share = 64, longest = [250, 500, 1000, 2000, 4000, 5000];
    const timer = window.setTimeout;
    window.waits = [];
    Math.random = () => 1 / share;
    window.setTimeout = (act, wait, ...rest) => {
      if (longest.includes(wait * share)) window.waits.push(wait * share);
      return timer(act, wait, ...rest);
    };
    return 1;
";

const LIVE: &str = "document.querySelector('#connection').dataset.state === 'live'";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn who_greets_and_closes_is_tried_ever_more_rarely_until_something_comes() {
    let server = Local::with(Options { heartbeat: ms(200), ..options() }, Retention::default()).await;
    let (address, fate) = proxy(server.address).await;
    let page = Browser::open(&format!("http://{address}/")).await;
    page.until("it is live", LIVE).await;
    server.append(vec![started("first")]).await;
    page.until("an event", "document.querySelector('#feed [data-incident=first]')").await;
    assert_eq!(page.run(WAITS, vec![]).await, 1);
    for (closes, incident) in [(Fate::Breaks, "a"), (Fate::Restarts, "b")] {
        fate.send(closes).unwrap();
        page.until(&format!("long waits: {closes:?}"), "window.waits.includes(5000)").await;
        let waits = page.value("window.waits").await;
        let waits: Vec<u64> = waits.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        assert!(waits.is_sorted() && waits.starts_with(&[250]), "{closes:?}: {waits:?}");
        fate.send(Fate::Stays).unwrap();
        server.append(vec![started(incident)]).await;
        let shown =
            format!("document.querySelector('#feed [data-incident={incident}], [data-tab={incident}]')");
        page.until("an event", &shown).await;
        page.until("it is live", LIVE).await;
        // The next loss is the first one again.
        assert_eq!(page.run("window.waits.length = 0; return 1;", vec![]).await, json!(1));
    }
}
