//! `incident validate`

mod collect;
mod play;
mod show;
mod targets;
mod transcripts;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::names::ScenarioName;
use super::proof::Proof;
use super::trust::Authorities;
use super::{runtime, signals};
use crate::check::{Context, MustResolve, RULES, Rule, Transcript, Verdict, check};
use crate::client::Endpoint;
use crate::player::Speed;
use crate::scenario::{Micros, did_you_mean};

use collect::Heard;
use show::Format;
use targets::Target;
use transcripts::Transcripts;

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

    #[command(flatten)]
    authorities: Authorities,

    #[command(flatten)]
    proof: Proof,

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
    results: Vec<(&'static Rule, Verdict)>,
    /// Why nothing was checked, if nothing was.
    unchecked: Option<String>,
}

impl Judged {
    /// Passing needs events, at least one rule that held, and none that did not.
    fn is_sound(&self) -> bool {
        self.unchecked.is_none()
            && !self.results.iter().any(|(_, outcome)| matches!(outcome, Verdict::Failed(_)))
    }
}

/// Why the results say nothing, if they do: no event came, or no rule had something to judge.
fn unchecked(transcript: &Transcript, results: &[(&'static Rule, Verdict)]) -> Option<String> {
    if !transcript.has_events() {
        return Some("no event of an incident was seen".to_owned());
    }
    let mut reasons = Vec::new();
    for (rule, outcome) in results {
        match outcome {
            Verdict::NotChecked(why) => reasons.push(format!("{}: {why}", rule.name)),
            Verdict::Passed(_) | Verdict::Failed(_) => return None,
        }
    }
    Some(if reasons.is_empty() { "no rule is left".to_owned() } else { reasons.join("; ") })
}

impl Validate {
    pub(super) fn run(mut self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
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
        match self.url.take() {
            Some(url) => self.url = Some(self.proof.add_to(self.authorities.add_to(url)?)?),
            None => {
                let given =
                    [("--token-file", &self.proof.token_file), ("--cacert", &self.authorities.cacert)];
                if let Some((flag, _)) = given.iter().find(|(_, file)| file.is_some()) {
                    let error = anyhow!("{flag} is for the server that --url names");
                    return Err(Failure::new(Exit::Usage, error));
                }
            }
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
        let kept = |target: &Target| !matches!(target, Target::Recording { .. });
        let mut transcripts = if targets.iter().any(kept) {
            Some(Transcripts::open(self.transcripts.as_deref(), self.files.iter().chain(&self.expect))?)
        } else {
            None
        };
        let collected = futures_util::future::join_all(targets.into_iter().map(|target| async {
            let heard = self.collect(&target).await;
            (target, heard)
        }));
        let mut judged = Vec::new();
        for (target, heard) in collected.await {
            let Heard { transcript, subject } = heard?;
            let path = match (&target, &mut transcripts) {
                (Target::Recording { path, .. }, _) => path.clone(),
                (_, Some(transcripts)) => transcripts.keep(&target.stem(), &transcript)?,
                (_, None) => continue,
            };
            let results = check(&transcript, &self.context(&target, subject), |rule| self.wants(rule));
            let unchecked = unchecked(&transcript, &results);
            judged.push(Judged { name: target.name(), transcript: path, results, unchecked });
        }
        Ok(judged)
    }

    fn wants(&self, rule: &str) -> bool {
        (self.rule.is_empty() || self.rule.iter().any(|wanted| wanted == rule))
            && !self.skip.iter().any(|skipped| skipped == rule)
    }

    fn context(&self, target: &Target, subject: Option<String>) -> Context {
        let must_resolve = match (target, subject) {
            (Target::Server { until_resolved: false, .. }, _) => MustResolve::None,
            (Target::Server { .. }, Some(subject)) => MustResolve::Only(subject),
            // Nothing ended while an end was waited for: then what began is at fault.
            _ => MustResolve::All,
        };
        Context {
            expect: target.expect(),
            arrivals: self.url.is_some() || (self.real_time && matches!(target, Target::Scenario { .. })),
            must_resolve,
            tolerance: Duration::from_micros(self.tolerance.0),
        }
    }

    async fn collect(&self, target: &Target) -> Result<Heard, Failure> {
        let timeout = Duration::from_micros(self.timeout.0);
        let speed = if self.real_time { Speed::REAL_TIME } else { self.speed };
        let whole = |transcript| Heard { transcript, subject: None };
        match target {
            Target::Recording { text, .. } => Ok(whole(Transcript::from_recording(text))),
            Target::Scenario { scenario, .. } => play::play(scenario, speed, timeout).await.map(whole),
            Target::Server { endpoint, .. } => {
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
        words.join(" ") + &self.authorities.flags() + &self.proof.flags()
    }
}

fn exit_of(judged: &[Judged]) -> Exit {
    if !judged.is_empty() && judged.iter().all(Judged::is_sound) { Exit::Fine } else { Exit::Invalid }
}
