//! How long appends wait while retention deletes half of a large journal.

use std::path::Path;
use std::time::{Duration, Instant};

use incident::contract::MessageType;
use incident::journal::{Append, Log, Place, Retention, Sqlite};

use crate::common::report::{Goal, Row, Section};
use crate::{Options, past};

/// The most that a round watches.
const ROUND: Duration = Duration::from_secs(20);

/// How long appends are watched while nothing is deleted.
const QUIET: Duration = Duration::from_secs(4);

/// Between two appends.
const PAUSE: Duration = Duration::from_millis(1);

/// What the writer of one round saw.
struct Watched {
    /// Milliseconds of each append, sorted.
    waits: Vec<f64>,
    dropped: u64,
    took: Duration,
}

impl Watched {
    fn at(&self, share: f64) -> f64 {
        let last = self.waits.len().saturating_sub(1);
        self.waits.get((last as f64 * share) as usize).copied().unwrap_or_default()
    }
}

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let half = options.events / 2;
    let (mut quiet, mut beside) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let file = past::copy_of(options.events)?;
        let runtime = tokio::runtime::Runtime::new()?;
        let keeps_all = Retention { events: usize::MAX, age: None };
        quiet.push(runtime.block_on(watch(&file, keeps_all, &format!("quiet-{round}"), QUIET))?);
        let keeps_half = Retention { events: half as usize, age: None };
        beside.push(runtime.block_on(watch(&file, keeps_half, &format!("beside-{round}"), ROUND))?);
    }
    let row = |name, unit, rounds: &[Watched], figure: fn(&Watched) -> f64| {
        Row::new(name, unit, rounds.iter().map(figure).collect())
    };
    let more = |figure: fn(&Watched) -> f64| -> Vec<f64> {
        beside.iter().zip(&quiet).map(|(beside, quiet)| figure(beside) - figure(quiet)).collect()
    };
    Ok(Section {
        name: "retention",
        about: format!("one append a millisecond while {half} of {} events are deleted", options.events),
        rows: vec![
            Row::new("longest append, more than without", "ms", more(|round| round.at(1.0)))
                .goal(Goal::AtMost(5.0)),
            Row::new("p99, more than without", "ms", more(|round| round.at(0.99))),
            row("longest append meanwhile", "ms", &beside, |round| round.at(1.0)),
            row("p99 meanwhile", "ms", &beside, |round| round.at(0.99)),
            row("longest append without", "ms", &quiet, |round| round.at(1.0)),
            row("p99 without", "ms", &quiet, |round| round.at(0.99)),
            row("deleted events", "/s", &beside, |round| round.dropped as f64 / round.took.as_secs_f64()),
        ],
        note: None,
    })
}

/// Appends until nothing more is to be deleted, or for so long.
async fn watch(
    file: &Path,
    retention: Retention,
    subject: &str,
    longest: Duration,
) -> anyhow::Result<Watched> {
    let journal = Sqlite::open(file, retention)?;
    let before = journal.extent().oldest;
    let mut record = past::record(subject, 1, false)?;
    let (mut index, mut waits) = (1, Vec::new());
    let start = Instant::now();
    while start.elapsed() < longest {
        let append = Instant::now();
        journal.append(record.clone().into()).await?;
        waits.push(append.elapsed().as_secs_f64() * 1e3);
        index += 1;
        record.place = Place::At(index);
        record.kind = MessageType::AgentAction;
        let extent = journal.extent();
        if extent.head + 1 - extent.oldest <= retention.events as u64 {
            // Without a limit this never comes before the time is over.
            if retention.events != usize::MAX {
                break;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    let (took, dropped) = (start.elapsed(), journal.extent().oldest - before);
    waits.sort_by(f64::total_cmp);
    Ok(Watched { waits, dropped, took })
}
