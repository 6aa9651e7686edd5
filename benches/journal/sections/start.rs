//! How long the binary takes from its start to serving a large journal.

use std::time::Instant;

use anyhow::Context;

use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::{Options, past};

const STARTS: usize = 10;

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let file = past::of(options.events)?;
    let journal = file.to_str().context("the folder's name is no text")?;
    let starts = starts(journal, STARTS)?;
    Ok(Section {
        name: "start",
        about: format!("`incident serve` over a journal of {} events, {STARTS} starts", options.events),
        rows: vec![Row::new("start to ready line", "ms", starts).goal(Goal::AtMost(100.0))],
        note: None,
    })
}

/// Milliseconds from the start of the binary to its ready line, each time.
pub(super) fn starts(journal: &str, times: usize) -> anyhow::Result<Vec<f64>> {
    let starts = (0..times).map(|_| {
        let start = Instant::now();
        let server = Server::start(journal)?;
        let took = start.elapsed();
        drop(server);
        Ok(took.as_secs_f64() * 1e3)
    });
    starts.collect()
}
