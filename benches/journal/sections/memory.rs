//! Whether a server grows with what it has published.

use serde_json::json;

use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::{Options, past};

/// Events of one incident of `database-outage`, about.
const LENGTH: u64 = 110;

/// Incidents that are played at once.
const AT_ONCE: u64 = 400;

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let file = past::fresh("memory.db")?;
    let server = Server::start(file.to_str().unwrap_or_default())?;
    let mut counter = server.count("")?;
    let (mut tenth, mut seed) = (None, 0);
    while counter.position < options.events {
        let until = counter.position + AT_ONCE * LENGTH;
        for _ in 0..AT_ONCE {
            seed += 1;
            server.trigger(&json!({ "scenario": "database-outage", "seed": seed, "speed": 2000.0 }))?;
        }
        counter.until_quiet()?;
        anyhow::ensure!(
            counter.position + 10 * AT_ONCE > until,
            "incidents did not end: {}",
            counter.position
        );
        if tenth.is_none() && counter.position >= options.events / 10 {
            tenth = Some(server.process.rss_kib()? / 1024.0);
        }
    }
    let (tenth, all) = (tenth.unwrap_or_default(), server.process.rss_kib()? / 1024.0);
    Ok(Section {
        name: "memory",
        about: format!("{} events of {seed} incidents, appended and delivered", counter.position),
        rows: vec![
            Row::single("resident at the end to a tenth", "×", all / tenth).goal(Goal::AtMost(1.1)),
            Row::single("resident after a tenth", "MiB", tenth),
            Row::single("resident at the end", "MiB", all),
        ],
        note: None,
    })
}
