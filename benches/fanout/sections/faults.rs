//! What clients that behave notice of those that do not: some that stop reading, some that read a byte a second, and
//! thousands that come and go.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use socket2::{Domain, Socket, Type};

use crate::child::{Measured, Order};
use crate::common::report::{Goal, Row, Section};
use crate::common::ws;
use crate::load::Load;
use crate::options::{Options, Role};
use crate::server::WRITE_DEADLINE;

/// After the handshakes, so that their tail is not measured.
const SETTLE: Duration = Duration::from_millis(500);

/// Messages a second beside thousands of handshakes.
const BESIDE: f64 = 20.0;

/// Handshakes a second.
const CONNECTS: f64 = 2_000.0;

pub(crate) fn stalled(options: &Options) -> anyhow::Result<Section> {
    let Options { rate, seconds, rounds, .. } = *options;
    let clients = options.clients();
    let (stalled, slow) = (clients / 10, clients / 50);
    let healthy = clients - stalled - slow;
    let messages = ((rate * seconds) as u64).max(1);
    let order = Order { messages, rate, batch: 1 };
    let (mut alone, mut beside, mut grown, mut kernel, mut closed) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(healthy_p99(healthy, order)?);
        let mut measured = Measured::start(Role::Server, clients)?;
        let before = measured.rss_kib()?;
        let bad = Misbehaving::connect(measured.port, stalled, slow)?;
        let mut load = Load::connect(measured.port, healthy)?;
        load.settle(SETTLE)?;
        measured.publish(order)?;
        beside.push(load.receive(messages)?.latency_ms(0.99));
        grown.push((measured.rss_kib()? - before) / 1024.0);
        kernel.push(kernel_mib()?);
        closed.push(bad.closed_with_4008()? as f64);
    }
    let (alone, beside) =
        (Row::new("healthy, p99 among themselves", "ms", alone), Row::new("healthy, p99", "ms", beside));
    Ok(Section {
        name: "stalled",
        about: format!(
            "{healthy} clients at {rate} messages/s × {seconds} s, {stalled} that stop reading, {slow} that read a byte a second"
        ),
        rows: vec![
            Row::ratio("healthy, p99 to among themselves", &beside, &alone).goal(Goal::AtMost(1.2)),
            alone,
            beside,
            Row::new("stalled that got 4008 and a position", "", closed)
                .goal(Goal::AtLeast(f64::from(stalled))),
            Row::new("server's memory, more than before", "MiB", grown),
            Row::new("kernel's memory of all sockets", "MiB", kernel),
        ],
        note: None,
    })
}

fn healthy_p99(clients: u32, order: Order) -> anyhow::Result<f64> {
    let mut measured = Measured::start(Role::Server, clients)?;
    let mut load = Load::connect(measured.port, clients)?;
    load.settle(SETTLE)?;
    measured.publish(order)?;
    Ok(load.receive(order.messages)?.latency_ms(0.99))
}

/// Sockets that do not read as they should.
struct Misbehaving {
    stalled: Vec<TcpStream>,
    stop: Arc<AtomicBool>,
    slow: thread::JoinHandle<()>,
}

impl Misbehaving {
    fn connect(port: u16, stalled: u32, slow: u32) -> anyhow::Result<Self> {
        let stalled = (0..stalled).map(|_| narrow(port)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut trickling = (0..slow).map(|_| narrow(port)).collect::<anyhow::Result<Vec<_>>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let slow = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for socket in &mut trickling {
                    // The server may have given it up.
                    let _ = socket.read(&mut [0; 1]);
                }
                thread::sleep(Duration::from_secs(1));
            }
        });
        Ok(Self { stalled, stop, slow })
    }

    /// Reads what was sent to those that stalled; how many were told where to resume.
    fn closed_with_4008(self) -> anyhow::Result<usize> {
        // Who reads before the deadline is not stalled any more. Their kernels may have taken messages up to the last.
        thread::sleep(WRITE_DEADLINE + SETTLE);
        self.stop.store(true, Ordering::Relaxed);
        self.slow.join().ok().context("the slow readers panicked")?;
        let mut told = 0;
        for mut socket in self.stalled {
            socket.set_read_timeout(Some(Duration::from_secs(15)))?;
            let mut bytes = Vec::new();
            // A reset ends it too: what came before counts.
            let _ = socket.read_to_end(&mut bytes);
            let tail = &bytes[bytes.len().saturating_sub(127)..];
            told += usize::from(tail.windows(13).any(|window| window == b"resume after "));
        }
        Ok(told)
    }
}

/// A client with room for little in the kernel, its handshake done.
fn narrow(port: u16) -> anyhow::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(4 * 1024)?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let mut socket = TcpStream::from(socket);
    shake_hands(&mut socket, port)?;
    Ok(socket)
}

fn shake_hands(socket: &mut TcpStream, port: u16) -> anyhow::Result<()> {
    socket.write_all(ws::request(port, "").as_bytes())?;
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        ensure!(socket.read(&mut byte)? == 1, "no handshake: {}", String::from_utf8_lossy(&answer));
        answer.push(byte[0]);
    }
    ensure!(answer.starts_with(b"HTTP/1.1 101 "), "refused: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// What the kernel holds for TCP, of the whole machine.
fn kernel_mib() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/net/sockstat")?;
    let line = text.lines().find(|line| line.starts_with("TCP:")).context("no TCP in sockstat")?;
    let pages: f64 = line.rsplit(' ').next().context("no pages")?.parse()?;
    Ok(pages * 4.0 / 1024.0)
}

pub(crate) fn connects(options: &Options) -> anyhow::Result<Section> {
    let Options { seconds, rounds, .. } = *options;
    let clients = options.clients();
    let messages = (BESIDE * seconds) as u64;
    let order = Order { messages, rate: BESIDE, batch: 1 };
    let (mut alone, mut beside, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(healthy_p99(clients, order)?);
        let mut measured = Measured::start(Role::Server, clients + 4_096)?;
        let mut load = Load::connect(measured.port, clients)?;
        load.settle(SETTLE)?;
        let storm = Connects::start(measured.port);
        measured.publish(order)?;
        beside.push(load.receive(messages)?.latency_ms(0.99));
        rates.push(storm.stop()?);
    }
    Ok(Section {
        name: "connects",
        about: format!(
            "{clients} clients at {BESIDE} messages/s × {seconds} s while {CONNECTS} others a second connect, read the greeting and leave"
        ),
        rows: vec![
            Row::new("clients, p99", "ms", beside).goal(Goal::AtMost(50.0)),
            Row::new("clients, p99 without the others", "ms", alone),
            Row::new("connects a second", "/s", rates).goal(Goal::AtLeast(CONNECTS * 0.98)),
        ],
        note: None,
    })
}

/// Clients that come and go at a steady rate.
struct Connects {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    began: Instant,
    threads: Vec<thread::JoinHandle<anyhow::Result<()>>>,
}

impl Connects {
    /// Each connects, reads the greeting and leaves: that takes a while, so several do it side by side.
    const THREADS: u32 = 8;

    fn start(port: u16) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let began = Instant::now();
        let threads = (0..Self::THREADS).map(|_| {
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            thread::spawn(move || {
                let pause = Duration::from_secs_f64(f64::from(Self::THREADS) / CONNECTS);
                let mut next = Instant::now();
                while !stop.load(Ordering::Relaxed) {
                    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
                    shake_hands(&mut socket, port)?;
                    ensure!(socket.read(&mut [0; 1024])? > 0, "no greeting");
                    done.fetch_add(1, Ordering::Relaxed);
                    next += pause;
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                }
                Ok(())
            })
        });
        let threads = threads.collect();
        Self { stop, done, began, threads }
    }

    /// How many a second there were.
    fn stop(self) -> anyhow::Result<f64> {
        let rate = self.done.load(Ordering::Relaxed) as f64 / self.began.elapsed().as_secs_f64();
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().ok().context("a connecting thread panicked")??;
        }
        Ok(rate)
    }
}
