//! `incident validate`

mod collect;
mod play;
mod show;
mod targets;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::names::ScenarioName;
use super::{runtime, signals};
use crate::check::{Context, Outcome, RULES, Rule, Transcript, check};
use crate::client::Endpoint;
use crate::player::Speed;
use crate::scenario::{Micros, did_you_mean};

use show::Format;
use targets::Target;

/// Check that scenarios, recordings or a running server keep the contract
///
/// Without arguments every scenario of scenarios/ (or the shipped ones) is played by a server of its own at high
/// speed and judged as it arrives over a real socket.
#[derive(Debug, clap::Args)]
pub(super) struct Validate {
    /// Scenarios (.toml) to play, or recordings (.ndjson) to judge
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Judge this running server instead
    #[arg(long, value_name = "URL", conflicts_with_all = ["files", "real_time", "speed"])]
    url: Option<Endpoint>,

    /// With --url: start this scenario and judge its incident
    #[arg(long, value_name = "SCENARIO", requires = "url", value_parser = ScenarioName)]
    trigger: Option<String>,

    /// With --url: listen for this long instead of until an incident is resolved
    #[arg(long = "for", value_name = "DURATION", requires = "url")]
    listen: Option<Micros>,

    /// Give up after this long
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    timeout: Micros,

    /// Play at speed 1 and judge arrival times too
    #[arg(long, conflicts_with = "speed")]
    real_time: bool,

    /// How fast to play otherwise
    #[arg(long, default_value = "200", value_name = "FACTOR")]
    speed: Speed,

    /// How far an arrival may be off its due time
    #[arg(long, default_value = "250ms", value_name = "DURATION")]
    tolerance: Micros,

    /// Judge by the [expect] of this scenario file
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,

    /// Only this rule; may be given several times
    #[arg(long, value_name = "NAME", value_parser = rule_name)]
    rule: Vec<String>,

    /// Not this rule; may be given several times
    #[arg(long, value_name = "NAME", value_parser = rule_name)]
    skip: Vec<String>,

    /// How to print the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Keep the transcripts here [default: a new folder among the temporary files]
    #[arg(long, value_name = "DIR")]
    transcripts: Option<PathBuf>,

    /// List the rules and what they mean
    #[arg(long, exclusive = true)]
    list: bool,

    /// Print what a scenario file compiles to
    #[arg(long, value_name = "FILE", exclusive = true)]
    timeline: Option<PathBuf>,
}

fn rule_name(name: &str) -> Result<String, String> {
    let known = || RULES.iter().map(|rule| rule.name);
    if known().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    match did_you_mean(name, known()) {
        Some(near) => Err(format!("no such rule; did you mean {near:?}?")),
        None => Err("no such rule; `incident validate --list` lists them".to_owned()),
    }
}

/// One thing that was judged.
struct Judged {
    name: String,
    /// Where the transcript is.
    transcript: PathBuf,
    results: Vec<(&'static Rule, Outcome)>,
}

impl Validate {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        if self.list {
            for rule in RULES {
                writeln!(std::io::stdout(), "{:<10} {}", rule.name, rule.meaning)?;
            }
            return Ok(Exit::Fine);
        }
        if let Some(file) = &self.timeline {
            return show::timeline(file);
        }
        runtime()?.block_on(async {
            tokio::select! {
                judged = self.judge_all() => {
                    let judged = judged?;
                    show::results(&judged, self.format, quiet, &self.again())?;
                    Ok(exit_of(&judged))
                }
                () = signals::shutdown() => Ok(Exit::Interrupted),
            }
        })
    }

    /// Collects and judges every target, side by side.
    async fn judge_all(&self) -> Result<Vec<Judged>, Failure> {
        let targets = self.targets()?;
        let folder = self.transcripts.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("incident-validate-{}", std::process::id()))
        });
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::new(Exit::Internal, anyhow!("cannot create {}: {error}", folder.display()))
        })?;
        let collected = futures_util::future::join_all(targets.into_iter().map(|target| async {
            let transcript = self.collect(&target).await;
            (target, transcript)
        }));
        let mut judged = Vec::new();
        for (target, transcript) in collected.await {
            let transcript = transcript?;
            let path = folder.join(format!("{}.ndjson", target.stem()));
            keep(&path, &transcript)?;
            let results = check(&transcript, &self.context(&target), |rule| self.wants(rule));
            judged.push(Judged { name: target.name(), transcript: path, results });
        }
        Ok(judged)
    }

    fn wants(&self, rule: &str) -> bool {
        (self.rule.is_empty() || self.rule.iter().any(|wanted| wanted == rule))
            && !self.skip.iter().any(|skipped| skipped == rule)
    }

    fn context(&self, target: &Target) -> Context {
        Context {
            expect: target.expect(),
            arrivals: self.url.is_some() || (self.real_time && matches!(target, Target::Scenario { .. })),
            complete: !matches!(target, Target::Server { until_resolved: false, .. }),
            tolerance: Duration::from_micros(self.tolerance.0),
        }
    }

    async fn collect(&self, target: &Target) -> Result<Transcript, Failure> {
        let timeout = Duration::from_micros(self.timeout.0);
        let speed = if self.real_time { Speed::REAL_TIME } else { self.speed };
        match target {
            Target::Recording { text, .. } => Ok(Transcript::from_recording(text)),
            Target::Scenario { scenario, .. } => play::play(scenario, speed, timeout).await,
            Target::Server { .. } => {
                let Some(endpoint) = &self.url else { return Ok(Transcript::default()) };
                let listen = self.listen.map(|listen| Duration::from_micros(listen.0));
                collect::server(endpoint, self.trigger.as_deref(), listen, timeout).await
            }
        }
    }

    /// The command that judges the same again, for the end of the report; each failed rule is added to it.
    fn again(&self) -> String {
        let mut words = vec!["incident validate".to_owned()];
        words.extend(self.files.iter().map(|file| file.display().to_string()));
        words.extend(self.url.iter().map(|url| format!("--url {url}")));
        words.extend(self.trigger.iter().map(|name| format!("--trigger {name}")));
        if self.real_time {
            words.push("--real-time".to_owned());
        }
        words.join(" ")
    }
}

fn keep(path: &std::path::Path, transcript: &Transcript) -> Result<(), Failure> {
    let text: String = transcript.frames.iter().map(|frame| frame.raw.clone() + "\n").collect();
    std::fs::write(path, text)
        .map_err(|error| Failure::new(Exit::Internal, anyhow!("cannot write {}: {error}", path.display())))
}

/// Passing needs at least one rule that held in every target, and none that did not.
fn exit_of(judged: &[Judged]) -> Exit {
    let sound = |judged: &Judged| {
        judged.results.iter().any(|(_, outcome)| matches!(outcome, Outcome::Passed(_)))
            && !judged.results.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
    };
    if !judged.is_empty() && judged.iter().all(sound) { Exit::Fine } else { Exit::Invalid }
}
