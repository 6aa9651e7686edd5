//! A server whose connection to NATS swallows answers: nothing is taken for stored or for lost that is not known to be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use incident::hub::Hub;
use incident::journal::{JournalError, ReadLimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::{ALL, append, positions};
use super::{has_read, open};
use crate::harness::nats::{NatsServer, at};
use crate::harness::{metrics, ms, soon, started};

/// Stands before a nats-server and can swallow what it answers.
struct Mute {
    address: SocketAddr,
    swallows: Arc<AtomicBool>,
    cuts: watch::Sender<u64>,
}

impl Mute {
    async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let swallows = Arc::new(AtomicBool::new(false));
        let (cuts, watching) = watch::channel(0);
        let muted = Arc::clone(&swallows);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (muted, mut watching) = (Arc::clone(&muted), watching.clone());
                watching.mark_unchanged();
                tokio::spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let answers = async {
                        let mut buffer = vec![0; 65_536];
                        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                            if !muted.load(Ordering::SeqCst)
                                && to_client.write_all(&buffer[..read]).await.is_err()
                            {
                                return;
                            }
                        }
                    };
                    tokio::select! {
                        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                        () = answers => {}
                        _ = watching.changed() => {}
                    }
                });
            }
        });
        Self { address, swallows, cuts }
    }
}

/// The servers have stored a batch, and their answer is lost with the connection: its caller is told that it is stored, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn an_append_whose_answer_is_lost_is_stored_once() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    let far = open(&at(proxy.address.port(), &name), ALL);
    append(&far, vec![started("a")]).await;
    let mut unanswered = 0;
    for round in 0..5 {
        let first = 2 + round * 3;
        proxy.swallows.store(true, Ordering::SeqCst);
        let appending = tokio::spawn({
            let far = far.clone();
            async move {
                far.append((first..first + 3).map(|index| metrics("a", index)).collect::<Vec<_>>()).await
            }
        });
        has_read(&near, first + 2).await;
        proxy.cuts.send_modify(|cuts| *cuts += 1);
        proxy.swallows.store(false, Ordering::SeqCst);
        match soon("an answer", appending).await.unwrap() {
            Ok(appended) => assert!(appended.iter().all(|event| event.new), "they are its own: {appended:?}"),
            // The connection took too long to come back: the caller repeats it.
            Err(error) => {
                assert!(error.is_temporary(), "{error}");
                unanswered += 1;
                has_read(&far, first + 2).await;
                let again = far.append(metrics("a", first)).await.unwrap();
                assert_eq!((again[0].position, again[0].new), (first, false));
            }
        }
    }
    assert!(unanswered < 5, "no append was resolved by what was read");
    for log in [&near, &far] {
        let indexes = log.read(0, ReadLimit::ALL).await.unwrap();
        let indexes: Vec<_> = indexes.iter().map(|event| event.index).collect();
        assert_eq!(indexes, (1..=16).collect::<Vec<_>>());
    }
}

/// While nothing is answered, nothing is taken for stored or for lost, and the journal says that it can't be used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_journal_without_servers_says_so_and_goes_on_when_they_are_back() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    let far = open(&at(proxy.address.port(), &name), ALL);
    append(&far, vec![started("a")]).await;
    let _lease = near.lease().await.unwrap();
    // As every server does, it waits for the lease.
    let _waiting = tokio::spawn({
        let far = far.clone();
        async move { far.lease().await }
    });
    proxy.swallows.store(true, Ordering::SeqCst);
    let mut health = far.health();
    let idle = soon("the silence", health.wait_for(Option::is_some)).await.unwrap().clone();
    assert!(idle.is_some_and(|trouble| trouble.to_string().contains("confirm nothing")));
    let refused = far.append(vec![metrics("a", 2)]).await;
    assert!(matches!(&refused, Err(JournalError::Unavailable(_))), "{refused:?}");
    proxy.cuts.send_modify(|cuts| *cuts += 1);
    proxy.swallows.store(false, Ordering::SeqCst);
    soon("the servers", health.wait_for(Option::is_none)).await.unwrap();
    append(&far, vec![metrics("a", 2)]).await;
    assert_eq!(positions(&far, 0, 10).await, [1, 2], "once, whichever attempt was stored");
}

/// The frame that a client of a hub is sent first.
async fn opened(hub: &Hub, position: u64) -> Result<String, JournalError> {
    let after = format!("{}/{position}", hub.stream()).parse().unwrap();
    let opening = hub.subscribe(Some(&after)).await?;
    Ok(String::from_utf8(opening.frame.text().to_vec()).unwrap())
}

/// A client comes with a position that another server has sent: it is never told that there is no such event because this
/// server has not read it yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_server_that_is_behind_calls_no_position_ahead() {
    let server = NatsServer::shared();
    let proxy = Mute::before(server.port).await;
    let name = NatsServer::fresh_name();
    let near = open(&server.location(&name), ALL);
    let far = open(&at(proxy.address.port(), &name), ALL);
    append(&near, vec![started("a")]).await;
    let hub = Arc::new(Hub::new(far.clone(), ms(15_000)).await.unwrap());
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let (hub, stop) = (Arc::clone(&hub), stop.clone());
        async move { hub.follow(stop).await }
    });
    for index in 2..20 {
        let position = append(&near, vec![metrics("a", index)]).await[0];
        let told = opened(&hub, position).await.unwrap();
        assert!(told.contains("\"resumed\""), "at once, through the other server: {told}");
    }
    let told = opened(&hub, 1_000).await.unwrap();
    assert!(told.contains("\"ahead\""), "nobody has sent it: {told}");
    proxy.swallows.store(true, Ordering::SeqCst);
    append(&near, vec![metrics("a", 20)]).await;
    for position in [20, 1_000] {
        let told = opened(&hub, position).await;
        assert!(matches!(&told, Err(error) if error.is_temporary()), "it can't know: {told:?}");
    }
    proxy.cuts.send_modify(|cuts| *cuts += 1);
    proxy.swallows.store(false, Ordering::SeqCst);
    has_read(&far, 20).await;
    let told = opened(&hub, 20).await.unwrap();
    assert!(told.contains("\"resumed\""), "{told}");
    stop.cancel();
    following.await.unwrap();
}
