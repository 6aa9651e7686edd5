//! How long the binary takes from its start to serving.

use std::time::Instant;

use crate::common::real;
use crate::common::report::{Goal, Row, Section};

const STARTS: usize = 10;

pub(crate) fn measure() -> anyhow::Result<Section> {
    let starts = (0..STARTS).map(|_| {
        let start = Instant::now();
        let server = real::Server::start("memory")?;
        let took = start.elapsed();
        drop(server);
        Ok(took.as_secs_f64() * 1e3)
    });
    let starts = starts.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Section {
        name: "ready",
        about: format!("`incident serve --port 0 --json`, {STARTS} starts"),
        rows: vec![Row::new("start to ready line", "ms", starts).goal(Goal::AtMost(50.0))],
        note: None,
    })
}
