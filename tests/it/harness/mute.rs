//! A proxy before a nats-server, which swallows what it answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::ms;

/// Stands before a nats-server and can swallow what it answers, delay it, and answer as a replica that is behind.
pub struct Mute {
    pub address: SocketAddr,
    pub swallows: Arc<AtomicBool>,
    /// Whether it swallows everything from the next append on.
    pub swallows_appends: Arc<AtomicBool>,
    /// For how many milliseconds what the leader says of a stream is held back.
    pub delay: Arc<AtomicU64>,
    /// Whether a read of any replica finds no plan.
    pub lacks_plans: Arc<AtomicBool>,
    /// Whether no replica answers a read of events, so that who reads through this is behind; the leader answers.
    pub hides_events: Arc<AtomicBool>,
    /// How often the leader of a stream was asked for it.
    pub asked: Arc<AtomicU64>,
    pub cuts: watch::Sender<u64>,
}

impl Mute {
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let swallows = Arc::new(AtomicBool::new(false));
        let (cuts, watching) = watch::channel(0);
        let (delay, lacks_plans) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (hides_events, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let all = (Arc::clone(&swallows), Arc::clone(&delay), Arc::clone(&lacks_plans));
        let more = (Arc::clone(&hides_events), Arc::clone(&asked));
        let swallows_appends = Arc::new(AtomicBool::new(false));
        let from_append = Arc::clone(&swallows_appends);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (muted, delay, lacks_plans) = all.clone();
                let (hides_events, asked) = more.clone();
                let from_append = Arc::clone(&from_append);
                let mut watching = watching.clone();
                watching.mark_unchanged();
                tokio::spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let answers = async {
                        let mut buffer = vec![0; 65_536];
                        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                            if has(&buffer[..read], b"stream_info_response") {
                                tokio::time::sleep(ms(delay.load(Ordering::SeqCst))).await;
                            }
                            if !muted.load(Ordering::SeqCst)
                                && to_client.write_all(&buffer[..read]).await.is_err()
                            {
                                return;
                            }
                        }
                    };
                    let requests = async {
                        let mut buffer = vec![0; 65_536];
                        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                            if lacks_plans.load(Ordering::SeqCst) {
                                hide_plans(&mut buffer[..read]);
                            }
                            if hides_events.load(Ordering::SeqCst) {
                                hide_events(&mut buffer[..read]);
                            }
                            if from_append.load(Ordering::SeqCst) && appends(&buffer[..read]) {
                                muted.store(true, Ordering::SeqCst);
                            }
                            let infos = buffer[..read].windows(INFO.len()).filter(|part| *part == INFO);
                            asked.fetch_add(infos.count() as u64, Ordering::SeqCst);
                            if to_server.write_all(&buffer[..read]).await.is_err() {
                                return;
                            }
                        }
                    };
                    tokio::select! {
                        () = requests => {}
                        () = answers => {}
                        _ = watching.changed() => {}
                    }
                });
            }
        });
        Self { address, swallows, swallows_appends, delay, lacks_plans, hides_events, asked, cuts }
    }

    /// Swallows what is answered to the next append, and everything after it. What is asked before that append is answered.
    pub fn swallow_appends(&self) {
        self.swallows_appends.store(true, Ordering::SeqCst);
    }

    /// Cuts the connections and answers again over the next ones.
    pub fn recover(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
        self.swallows_appends.store(false, Ordering::SeqCst);
        self.swallows.store(false, Ordering::SeqCst);
    }
}

fn has(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|part| part == what)
}

/// Whether an event is published, which has headers.
fn appends(requests: &[u8]) -> bool {
    const PUBLISHED: &[u8] = b"HPUB incident.";
    requests.windows(PUBLISHED.len()).enumerate().any(|(at, part)| {
        let subject = requests[at + 5..].split(|byte| *byte == b' ').next().unwrap_or_default();
        part == PUBLISHED && has(subject, b".ev.")
    })
}

/// The beginning of a question to the leader.
const INFO: &[u8] = b"$JS.API.STREAM.INFO.";

/// Makes the reads of events from any replica go where nobody answers. Those of the second stream pass.
fn hide_events(requests: &mut [u8]) {
    const READ: &[u8] = b"$JS.API.DIRECT.GET.";
    for from in 0..requests.len().saturating_sub(READ.len()) {
        if requests[from..].starts_with(READ) {
            let name = &requests[from + READ.len()..];
            let end = name.iter().position(|byte| matches!(byte, b' ' | b'.')).unwrap_or(name.len());
            if !name[..end].ends_with(b"_ctl") {
                requests[from + READ.len() - 2] = b'X';
            }
        }
    }
}

/// Makes the reads of plans from any replica ask for something that is not there.
fn hide_plans(requests: &mut [u8]) {
    const READ: &[u8] = b"$JS.API.DIRECT.GET.";
    const PLAN: &[u8] = b".ctl.plan.";
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|part| part == what);
    let mut from = 0;
    while let Some(read) = find(&requests[from..], READ) {
        from += read + READ.len();
        let upto = requests.len().min(from + 400);
        if let Some(plan) = find(&requests[from..upto], PLAN) {
            requests[from + plan + 5] = b'x';
        }
    }
}
