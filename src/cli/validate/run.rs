//! Collects what the targets send, checks it, and prints the verdicts.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;

use super::args::Validate;
use super::collect::{self, Collected};
use super::judged::{Findings, Judged, unchecked};
use super::show::Detail;
use super::targets::{Target, Targets};
use super::transcripts::Transcripts;
use super::{play, show, timeline};
use crate::check::{Context, MustResolve, RULES, Transcript, check};
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::log::LogFormat;
use crate::cli::mistakes;
use crate::cli::out::print;
use crate::cli::runtime::runtime;
use crate::cli::signals;
use crate::player::Speed;

impl Validate {
    pub(in crate::cli) fn run(
        mut self,
        color: ColorChoice,
        quiet: bool,
        verbose: bool,
    ) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        if self.list {
            for rule in RULES {
                print(format!("{:<10} {}", rule.name, rule.meaning))?;
            }
            return Ok(Exit::Fine);
        }
        if let Some(file) = &self.timeline {
            return timeline::print(file);
        }
        match self.url.take() {
            Some(url) => self.url = Some(self.token.add_to(self.trust.add_to(url)?)?),
            None => {
                let given = [("--token-file", &self.token.token_file), ("--cacert", &self.trust.cacert)];
                if let Some((flag, _)) = given.iter().find(|(_, file)| file.is_some()) {
                    let error = anyhow!("{flag} needs a server: give its --url");
                    return Err(Failure::new(Exit::Usage, error));
                }
            }
        }
        runtime()?.block_on(async {
            tokio::select! {
                found = self.judge_all() => {
                    let found = found?;
                    mistakes::show(&found.wrong, color.wants(std::io::stderr().is_terminal()), LogFormat::Text);
                    if !quiet {
                        let warned: Vec<_> = found.judged.iter().filter_map(|one| one.warned.clone()).collect();
                        mistakes::show(&warned, color.wants(std::io::stderr().is_terminal()), LogFormat::Text);
                    }
                    let detail = Detail::of(quiet, verbose);
                    show::results(&found, self.format, detail, &self.again())?;
                    Ok(found.exit())
                }
                () = signals::shutdown() => Ok(Exit::Interrupted),
            }
        })
    }

    /// Collects from all targets at the same time, and checks each.
    async fn judge_all(&self) -> Result<Findings, Failure> {
        let Targets { targets, wrong } = self.targets()?;
        let recordings = targets.iter().filter_map(Target::recording);
        let mut transcripts = Transcripts::open(
            self.transcripts.as_deref(),
            self.files.iter().chain(&self.expect).map(PathBuf::as_path).chain(recordings),
        )?;
        let collecting = futures_util::future::join_all(targets.into_iter().map(|target| async {
            let collected = self.collect(&target).await;
            (target, collected)
        }));
        let mut judged = Vec::new();
        for (target, collected) in collecting.await {
            let Collected { transcript, subject } = collected?;
            let results = check(&transcript, &self.context(&target, subject), |rule| self.wants(rule));
            let unchecked = unchecked(&transcript, &results);
            let mut one =
                Judged { name: target.name(), transcript: None, results, unchecked, warned: target.warned() };
            one.transcript = match target.recording() {
                Some(path) => Some(path.to_owned()),
                None if self.transcripts.is_some() || !one.passes() => {
                    Some(transcripts.keep(&target.stem(), &transcript)?)
                }
                None => None,
            };
            judged.push(one);
        }
        Ok(Findings { judged, wrong })
    }

    fn wants(&self, rule: &str) -> bool {
        (self.rule.is_empty() || self.rule.iter().any(|wanted| wanted == rule))
            && !self.skip.iter().any(|skipped| skipped == rule)
    }

    fn context(&self, target: &Target, subject: Option<String>) -> Context {
        let must_resolve = match (target, subject) {
            (Target::Server { until_resolved: false, .. }, _) => MustResolve::None,
            (Target::Server { .. }, Some(subject)) => MustResolve::Only(subject),
            // No incident ended while this command waited for one: then every incident that started must end.
            _ => MustResolve::All,
        };
        Context {
            expect: target.expect(),
            arrivals: self.url.is_some() || (self.real_time && matches!(target, Target::Scenario { .. })),
            must_resolve,
            tolerance: self.tolerance.into(),
        }
    }

    async fn collect(&self, target: &Target) -> Result<Collected, Failure> {
        let timeout = Duration::from(self.timeout);
        let speed = if self.real_time { Speed::REAL_TIME } else { self.speed };
        let whole = |transcript| Collected { transcript, subject: None };
        match target {
            Target::Recording { text, .. } => Ok(whole(Transcript::from_recording(text))),
            Target::Scenario { scenario, .. } => play::play(scenario, speed, timeout).await.map(whole),
            Target::Server { endpoint, .. } => {
                let listen = self.listen.map(Duration::from);
                collect::server(endpoint, self.trigger.as_deref(), listen, timeout).await
            }
        }
    }

    /// The command that checks the same targets again. The failed rules are added to it.
    fn again(&self) -> String {
        let mut words = vec!["incident validate".to_owned()];
        words.extend(self.files.iter().map(|file| file.display().to_string()));
        words.extend(self.url.iter().map(|url| format!("--url {url}")));
        words.extend(self.trigger.iter().map(|name| format!("--trigger {name}")));
        if self.real_time {
            words.push("--real-time".to_owned());
        }
        words.join(" ") + &self.trust.flags() + &self.token.flags()
    }
}
