//! The servers of others beside ours and the floor: the same clients, the same messages, in turns. Over WebSocket, as event
//! streams, and over TLS.

use std::io::{self, IsTerminal};

use clap::ValueEnum;

use super::{fanout, idle};
use crate::child::{Contender, Over, Who};
use crate::common::comparison::{Cell, Cells, Comparison, Line};
use crate::common::report::Row;
use crate::options::{Options, Role};
use crate::peer::Peer;
use crate::tally::Received;

const OURS: &str = "incident";

/// What is measured of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Messages at a steady rate
    Paced,
    /// All messages at once
    Burst,
    /// Clients that are only there, then one message to all of them
    Idle,
    /// Clients that come back, over TLS
    Back,
}

/// A figure of which more is better, beside those of which less is.
const SHARE: &str = "%";

impl Measure {
    /// Names and units of its figures: CPU is a delivery's and a handshake's, memory a client's.
    fn figures(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Paced => &[("paced CPU", "µs"), ("paced p99", "ms")],
            Self::Burst => &[("burst CPU", "µs")],
            Self::Idle => &[("idle RSS", "KiB"), ("handshake CPU", "µs"), ("one to all p99", "ms")],
            Self::Back => &[("handshake again CPU", "µs"), ("resumed", SHARE)],
        }
    }

    /// One round: a value a figure, and what arrived.
    fn round(self, contender: Contender, options: &Options) -> anyhow::Result<(Vec<f64>, Received)> {
        match self {
            Self::Paced => {
                let round = fanout::run(contender, options.clients(), options.paced())?;
                Ok((vec![round.cpu(), round.received.latency_ms(0.99)], round.received))
            }
            Self::Burst => {
                let round = fanout::run(contender, options.clients(), options.burst())?;
                Ok((vec![round.cpu()], round.received))
            }
            Self::Idle => {
                let idle = idle::run(contender, options.idle_clients())?;
                let p99 = idle.one_to_all.latency_ms(0.99);
                Ok((vec![idle.kib, idle.handshake_us, p99], idle.one_to_all))
            }
            Self::Back => {
                let back = idle::come_back(contender, options.idle_clients())?;
                Ok((vec![back.handshake_us, back.resumed], back.one_to_all))
            }
        }
    }
}

/// All rounds of one measure of one contender.
struct Found {
    measure: Measure,
    rounds: Vec<Vec<f64>>,
    lost: u64,
    cut: usize,
    failure: Option<String>,
}

impl Found {
    fn nothing(measure: Measure) -> Self {
        Self { measure, rounds: Vec::new(), lost: 0, cut: 0, failure: None }
    }

    /// A failure is an error where it is ours, a cell of the table where it is a peer's.
    fn add(&mut self, contender: Contender, options: &Options) -> anyhow::Result<()> {
        // The floor lets everyone in once.
        let is_away = contender.who == Who::Own(Role::Floor) && self.measure == Measure::Back;
        if self.failure.is_some() || is_away {
            return Ok(());
        }
        match self.measure.round(contender, options) {
            Ok((figures, received)) => {
                self.rounds.push(figures);
                self.lost += received.lost;
                self.cut += received.cut;
            }
            Err(error) => match contender.who {
                Who::Own(_) => return Err(error),
                Who::Peer(_) => self.failure = Some(format!("{error:#}")),
            },
        }
        Ok(())
    }

    fn cells(&self) -> impl Iterator<Item = Cell> {
        self.measure.figures().iter().enumerate().map(|(place, (name, unit))| match self.instead() {
            Some(what) => Cell::Instead(what),
            None => Cell::Figure(self.row(place, name, unit)),
        })
    }

    fn row(&self, place: usize, name: &'static str, unit: &'static str) -> Row {
        Row::new(name, unit, self.rounds.iter().map(|round| round[place]).collect())
    }

    /// Ours to those of the peer that is best in it, for each figure.
    fn to_the_best(&self, peers: &[&Self]) -> impl Iterator<Item = Cell> {
        self.measure.figures().iter().enumerate().map(|(place, (name, unit))| {
            let rows = peers.iter().filter(|peer| peer.instead().is_none());
            let rows = rows.map(|peer| peer.row(place, name, unit));
            let best = rows.min_by(|one, other| one.median().total_cmp(&other.median()));
            match best {
                Some(best) if *unit != SHARE => {
                    Cell::Figure(Row::ratio(name, &self.row(place, name, unit), &best))
                }
                _ => Cell::Instead(String::new()),
            }
        })
    }

    /// What is said where messages or clients were lost: CPU a delivery of a server that does not deliver is none.
    fn instead(&self) -> Option<String> {
        match (self.lost, self.cut) {
            _ if self.failure.is_some() => Some("failed".to_owned()),
            _ if self.rounds.is_empty() => Some(String::new()),
            (0, 0) => None,
            (lost, 0) => Some(format!("lost {lost}")),
            (0, cut) => Some(format!("cut {cut}")),
            (lost, cut) => Some(format!("lost {lost}, cut {cut}")),
        }
    }
}

/// One contender and what was found about it.
struct Entry {
    contender: Contender,
    title: &'static str,
    version: String,
    found: Vec<Found>,
}

pub(crate) fn measure(over: Over, options: &Options) -> anyhow::Result<Comparison> {
    let measures = chosen(&options.measure, |measure| *measure != Measure::Back || over == Over::Tls);
    let peers = chosen(&options.peer, |peer: &Peer| peer.speaks(over));
    let entry = |contender: Contender, title, version| Entry {
        contender: contender.over(over),
        title,
        version,
        found: measures.iter().copied().map(Found::nothing).collect(),
    };
    let server = Contender::own(Role::Server);
    let mut entries = vec![entry(server, OURS, env!("CARGO_PKG_VERSION").to_owned())];
    if over != Over::Events {
        entries.insert(0, entry(Contender::own(Role::Floor), "floor, one write a message", String::new()));
    }
    let mut missing = Vec::new();
    for peer in peers {
        match peer.version() {
            Some(version) => entries.push(entry(Contender::peer(peer), peer.title(), version)),
            None => missing.push(Line {
                title: peer.title(),
                version: String::new(),
                cells: Cells::Missing(format!("not installed: benches/peers/install {}", peer.name())),
            }),
        }
    }
    for round in 1..=options.rounds {
        for entry in &mut entries {
            progress(&format!("round {round} of {}: {}", options.rounds, entry.title));
            for found in &mut entry.found {
                found.add(entry.contender, options)?;
            }
        }
    }
    Ok(Comparison {
        name: match over {
            Over::WebSocket => "peers",
            Over::Events => "event-peers",
            Over::Tls => "tls",
        },
        about: format!(
            "paced {} clients × {} messages/s × {} s, burst {} × {}, idle and one to all {}; rounds {}",
            options.clients(),
            options.rate,
            options.seconds,
            options.clients(),
            options.burst().messages,
            options.idle_clients(),
            options.rounds
        ),
        columns: measures.iter().flat_map(|measure| measure.figures()).map(column).collect(),
        notes: entries.iter().flat_map(failures).collect(),
        lines: entries.iter().map(line).chain(to_the_best(&entries)).chain(missing).collect(),
    })
}

/// Those that were asked for, or all, of those that fit.
fn chosen<T: ValueEnum>(asked: &[T], fits: impl Fn(&T) -> bool) -> Vec<T> {
    let all = if asked.is_empty() { T::value_variants() } else { asked };
    all.iter().filter(|one| fits(one)).cloned().collect()
}

/// Our figures to the best of any peer; none where nobody is beside us.
fn to_the_best(entries: &[Entry]) -> Option<Line> {
    let ours = entries.iter().find(|entry| entry.title == OURS)?;
    let peers: Vec<&Entry> =
        entries.iter().filter(|entry| matches!(entry.contender.who, Who::Peer(_))).collect();
    if peers.is_empty() {
        return None;
    }
    let cells = ours.found.iter().enumerate().flat_map(|(place, found)| {
        let others: Vec<&Found> = peers.iter().map(|peer| &peer.found[place]).collect();
        found.to_the_best(&others).collect::<Vec<_>>()
    });
    Some(Line {
        title: "incident to the best peer, ×",
        version: String::new(),
        cells: Cells::Measured(cells.collect()),
    })
}

fn column((name, unit): &(&str, &str)) -> String {
    format!("{name} {unit}")
}

fn line(entry: &Entry) -> Line {
    let cells = Cells::Measured(entry.found.iter().flat_map(Found::cells).collect());
    Line { title: entry.title, version: entry.version.clone(), cells }
}

fn failures(entry: &Entry) -> impl Iterator<Item = String> {
    let failures = entry.found.iter().filter_map(|found| Some((found.measure, found.failure.as_ref()?)));
    failures.map(|(measure, failure)| format!("{}, {measure:?}: {failure}", entry.title))
}

/// It takes minutes: a person who waits is told where it is.
#[allow(clippy::print_stderr, reason = "beside the report, not in it")]
fn progress(where_it_is: &str) {
    if io::stderr().is_terminal() {
        eprintln!("{where_it_is}");
    }
}
