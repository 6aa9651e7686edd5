//! What the page costs a browser, from its first byte to hours of use: see `benches/README.md`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

mod browser;
#[path = "../common/mod.rs"]
mod common;
mod load;
mod sections;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use browser::Browser;
use common::program;
use common::report::Report;

/// Measure the page in a headless Chromium. It needs `chromium` and `chromedriver`, which `./tests/run` installs.
#[derive(Debug, Parser)]
#[command(name = "page")]
struct Options {
    /// What to measure [default: all]
    #[arg(value_enum)]
    sections: Vec<Which>,

    /// Events of the long incidents
    #[arg(long, default_value_t = 119_506, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,

    /// Incidents that are open at once
    #[arg(long, default_value_t = 20)]
    incidents: usize,

    /// Seconds of a live round
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Measure the page in this folder, as it is, instead of the built-in one
    #[arg(long, value_name = "DIR")]
    dashboard: Option<PathBuf>,

    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,

    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Bytes, requests and the first paint
    Load,
    /// A page that comes late to a long incident
    Late,
    /// Many incidents at 100 messages per second
    Many,
    /// Many incidents at 1,000 messages per second
    Flood,
    /// Nodes and heap over eight hours' events
    Hours,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if !program::measures("page", "CPU and memory", options.bench) {
        return ExitCode::SUCCESS;
    }
    let ran = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    program::end("page", ran.map_err(Into::into).and_then(|runtime| runtime.block_on(run(&options))))
}

async fn run(options: &Options) -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else {
        eprintln!("page: there is no chromedriver; `./tests/run` installs it");
        return Ok(());
    };
    let measured = measure(&browser, options).await;
    // Also after a section that failed: a browser that is left behind runs on.
    let closed = browser.close().await;
    measured.and(closed)
}

async fn measure(browser: &Browser, options: &Options) -> anyhow::Result<()> {
    let mut report = Report::new("page", options.json);
    let all = Which::value_variants();
    let wanted = if options.sections.is_empty() { all } else { &options.sections };
    for section in wanted {
        report.add(match section {
            Which::Load => sections::load(browser, options).await?,
            Which::Late => sections::late(browser, options).await?,
            Which::Many => sections::follow(browser, options, 100).await?,
            Which::Flood => sections::follow(browser, options, 1_000).await?,
            Which::Hours => sections::hours(browser, options).await?,
        });
    }
    report.finish();
    Ok(())
}
