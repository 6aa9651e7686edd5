//! Collects what the targets send, checks it, and prints the verdicts.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::args::Validate;
use super::judged::{Findings, Judged, Unjudged, unchecked};
use super::link::Dial;
use super::listen::Listening;
use super::play::TemporaryServer;
use super::prepare::ReadBy;
use super::progress::Progress;
use super::reports::{self, Detail, Kind, Reports, View};
use super::session::Session;
use super::targets::{Target, Targets};
use super::transcripts::Transcripts;
use super::{list, recorded, timeline};
use crate::check::{Context, Judgement, Limits, MustResolve, RULES, TranscriptHeader};
use crate::cli::changes::{Changes, LOOK_EVERY};
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::log::LogFormat;
use crate::cli::mistakes;
use crate::cli::out::{print, print_drawn, reader_has_left, say};
use crate::cli::runtime::runtime;
use crate::cli::signals;
use crate::player::Speed;
use crate::scenario::Settings;

/// How long to go on after an incident's end, in which a fault may still come.
const AFTER_END: Duration = Duration::from_secs(1);

/// The same on a server of our own, which is near.
const AFTER_END_AT_HOME: Duration = Duration::from_millis(100);

/// How results are shown.
#[derive(Clone, Copy)]
struct Output {
    color: ColorChoice,
    quiet: bool,
    verbose: bool,
}

impl Validate {
    pub(in crate::cli) fn run(
        mut self,
        color: ColorChoice,
        quiet: bool,
        verbose: bool,
    ) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        if self.list {
            return self.list_rules();
        }
        if let Some(named) = &self.timeline {
            let exit = timeline::print(named, &self.files, &self.settings.settings()?, |warned| {
                if !quiet {
                    let colors = color.wants(std::io::stderr().is_terminal());
                    mistakes::show(std::slice::from_ref(warned), colors, LogFormat::Text);
                }
            });
            return exit;
        }
        let read_by = self.prepare()?;
        // Opening a pipe waits for its reader: until then a signal has to end the process as usual.
        let reports = Reports::open(self.format, &self.report)?;
        runtime()?.block_on(async {
            if let Some(dial) = &mut self.dial {
                dial.choose().await?;
            }
            let stop = CancellationToken::new();
            let signal = signals::shutdown();
            let interrupted = tokio::spawn({
                let stop = stop.clone();
                async move {
                    signal.await;
                    stop.cancel();
                }
            });
            let output = Output { color, quiet, verbose };
            let checked = if self.watch {
                self.check_changes(&read_by, &stop, output, reports).await
            } else {
                self.check(&read_by, &stop, output, reports).await
            };
            interrupted.abort();
            checked
        })
    }

    /// Checks all targets, and again whenever a file of them changes. Returns what came of the last time.
    async fn check_changes(
        &self,
        read_by: &ReadBy,
        stop: &CancellationToken,
        output: Output,
        mut reports: Reports,
    ) -> Result<Exit, Failure> {
        let paths = if self.files.is_empty() { vec![PathBuf::from("scenarios")] } else { self.files.clone() };
        let folders: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).cloned().collect();
        if let Some(into) = &self.transcripts
            && folders.iter().any(|folder| is_same_folder(folder, into))
        {
            let error = anyhow!(
                "with --watch, {} can't take the transcripts: it is watched, and each check would change it",
                into.display()
            );
            return Err(Failure::new(Exit::Usage, error).hint("name another folder in --transcripts"));
        }
        let mut changes = Changes::new(paths, &["toml", "ndjson"]);
        loop {
            let checked = match folders.iter().find(|folder| !folder.is_dir()) {
                // Its name could be taken for that of a scenario.
                Some(gone) => {
                    Err(Failure::new(Exit::Usage, anyhow!("the folder {} is gone", gone.display()))
                        .hint("put it back: it is checked again then"))
                }
                None => self.check(read_by, stop, output, reports).await,
            };
            // A file that can't be checked now may be mended in a moment.
            let exit = checked.unwrap_or_else(|failure| {
                let exit = failure.exit();
                failure.report(output.color);
                exit
            });
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(exit),
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
                let changed = changes.look();
                if reader_has_left() {
                    return Ok(exit);
                }
                if !changed.is_empty() {
                    let names: Vec<String> = changed.iter().map(|file| file.display().to_string()).collect();
                    print("")?;
                    print(format!("{} changed:", names.join(", ")))?;
                    // With --watch there is only the one on stdout.
                    reports = Reports::open(self.format, &self.report)?;
                    break;
                }
            }
        }
    }

    /// Checks all targets once, and reports what was found.
    async fn check(
        &self,
        read_by: &ReadBy,
        stop: &CancellationToken,
        Output { color, quiet, verbose }: Output,
        reports: Reports,
    ) -> Result<Exit, Failure> {
        // A recording says itself whether it is large.
        let progress = Progress::new(!quiet);
        let found = self.judge_all(read_by, stop, &progress).await;
        progress.end();
        let view = |next| View {
            detail: Detail::of(quiet, verbose),
            columns: reports::columns(),
            next,
            json: reports.json(),
        };
        let found = match found {
            Ok(found) => found,
            Err(failure) => {
                let found = Findings { failure: failure.text(), ..Findings::default() };
                let view = view(Vec::new());
                if let Err(unwritten) = reports.write_failure(&found, &view, color) {
                    unwritten.report(color);
                }
                return Err(failure);
            }
        };
        let colors = color.wants(std::io::stderr().is_terminal());
        mistakes::show(&found.wrong, colors, LogFormat::Text);
        for one in &found.unjudged {
            one.failure.report(color);
        }
        if !quiet {
            let warned: Vec<_> = found.judged.iter().filter_map(|one| one.warned.clone()).collect();
            mistakes::show(&warned, colors, LogFormat::Text);
        }
        if let Some(interruption) = found.interruption() {
            say(interruption);
        }
        let view = view(self.again(&found));
        reports.write(&found, &view, color)?;
        Ok(found.exit())
    }

    /// Observes all targets at the same time, and judges each.
    async fn judge_all(
        &self,
        read_by: &ReadBy,
        stop: &CancellationToken,
        progress: &Progress,
    ) -> Result<Findings, Failure> {
        let Targets { found: targets, wrong, mut unjudged } = self.targets()?;
        if let (Some(name), Some(target)) =
            (read_by.foreign(), targets.iter().find(|target| target.is_scenario()))
        {
            let what = anyhow!(
                "the profile {name} reads streams of other programs, and {} is a scenario",
                target.name()
            );
            let hint = "leave out --profile, or name recordings and transcripts only";
            return Err(Failure::new(Exit::Usage, what).hint(hint));
        }
        let transcripts = Transcripts::open(self.transcripts.as_deref())?;
        let is_alone = targets.len() + wrong.len() + unjudged.len() == 1;
        let names: Vec<String> = targets.iter().map(Target::name).collect();
        let judging =
            targets.into_iter().map(|target| self.judge(target, read_by, &transcripts, stop, progress));
        let mut judged = Vec::new();
        for (name, one) in names.into_iter().zip(futures_util::future::join_all(judging).await) {
            match one {
                Ok(one) => judged.push(one),
                // One bad target never keeps the good ones from being judged.
                Err(failure) if !is_alone => unjudged.push(Unjudged { name, failure }),
                Err(failure) => return Err(failure),
            }
        }
        Ok(Findings { judged, wrong, unjudged, failure: None })
    }

    /// Observes one target and judges it.
    async fn judge(
        &self,
        mut target: Target,
        read_by: &ReadBy,
        transcripts: &Transcripts,
        stop: &CancellationToken,
        progress: &Progress,
    ) -> Result<Judged, Failure> {
        let name = target.name();
        let opened = match &mut target {
            Target::Recording { opened, .. } => opened.take(),
            Target::Scenario { .. } | Target::Server { .. } => None,
        };
        let context = read_by.add_to(self.context(&target)?);
        let warned = target.warned();
        let judged = |judgement: Judgement, transcript, is_interrupted| {
            let unchecked = unchecked(&judgement);
            let (remarks, left_out) = (judgement.warnings, judgement.left_out);
            let is_live = target.recording().is_none();
            let expected = target.expect().and_then(|expected| {
                let (file, line) = expected.origin.rsplit_once(':')?;
                Some((file.to_owned(), line.parse().ok()?))
            });
            let results = judgement.rules;
            Judged {
                name,
                transcript,
                results,
                unchecked,
                remarks,
                left_out,
                warned,
                expected,
                is_live,
                is_interrupted,
            }
        };
        let (dial, server) = match &target {
            Target::Recording { path, .. } => {
                let judgement =
                    recorded::judge(path, opened, context, self.wanted(), stop.clone(), progress).await?;
                return Ok(judged(judgement, Some(path.clone()), stop.is_cancelled()));
            }
            Target::Scenario { scenario, .. } => {
                let speed = if self.real_time { Speed::REAL_TIME } else { self.speed };
                let server = TemporaryServer::start(scenario, speed).await?;
                (Dial::ours(server.endpoint.clone()), Some((server, scenario.id())))
            }
            Target::Server { dial, .. } => ((**dial).clone(), None),
        };
        let settings = target.expect().map(|expected| expected.settings).unwrap_or_default();
        let settings = settings.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let expect = target.expect().map(|expected| expected.origin);
        let contract = self.strangers.contract.as_ref().map(|file| file.display().to_string());
        let profile = context.profile.as_ref().map(|profile| profile.name.clone());
        let header = TranscriptHeader::new(target.name(), Timestamp::UNIX_EPOCH, context.arrivals, expect);
        let mut header = header.read_by(profile, contract);
        header.limits.clone_from(&self.limit);
        header.settings = settings;
        let transcript = transcripts.begin(&target.stem(), header)?;
        // What is played fast is over before a person has read the line.
        let shown =
            if self.dial.is_some() || self.real_time { progress.clone() } else { Progress::new(false) };
        let mut session = Session::begin(context, transcript, shown, |rule| self.wants(rule))?;
        // A temporary server knows the scenario as it is to be played.
        let settings = if server.is_some() { Settings::default() } else { self.settings.settings()? };
        let listening = Listening {
            dial: &dial,
            settings: &settings,
            trigger: server.as_ref().map(|(_, id)| *id).or(self.trigger.as_deref()),
            listen: self.listen.map(Duration::from),
            timeout: self.timeout.into(),
            after_end: if server.is_some() { AFTER_END_AT_HOME } else { AFTER_END },
            twins: self.clients - 1,
            stalled: !self.gentle,
            probes: !self.gentle,
            stop: stop.clone(),
        };
        let listened = listening.run(&mut session).await;
        // A signal that comes while results are written leaves nothing out.
        let is_interrupted = stop.is_cancelled();
        if let Some((server, _)) = server {
            server.stop().await;
        }
        let (judgement, transcript) = session.finish();
        if let Err(failure) = listened {
            transcript.discard();
            return Err(failure);
        }
        let mut one = judged(judgement, None, is_interrupted);
        one.remarks.extend(dial.not_checked());
        // Who leaves before anything has come has nothing to look at.
        let is_of_use = if is_interrupted { one.has_failed() } else { !one.passes() };
        if self.transcripts.is_some() || is_of_use {
            one.remarks.extend(transcript.warning());
            one.transcript = transcript.keep()?;
        } else {
            transcript.discard();
        }
        Ok(one)
    }

    fn wants(&self, rule: &str) -> bool {
        (self.rule.is_empty() || self.rule.iter().any(|wanted| wanted == rule))
            && !self.skip.iter().any(|skipped| skipped == rule)
    }

    /// The names of the rules that are wanted.
    fn wanted(&self) -> Vec<&'static str> {
        RULES.iter().map(|rule| rule.name).filter(|rule| self.wants(rule)).collect()
    }

    fn context(&self, target: &Target) -> Result<Context, Failure> {
        let mut limits = Limits::default();
        for limit in &self.limit {
            limits.set(limit).map_err(|error| Failure::new(Exit::Usage, anyhow!(error)))?;
        }
        Ok(Context {
            expect: target.expect(),
            arrivals: self.dial.is_some() || (self.real_time && matches!(target, Target::Scenario { .. })),
            // A recording has everything that happened. What was listened to says in the end what it waited for.
            must_resolve: MustResolve::All,
            began: None,
            limits,
            ..Context::default()
        })
    }

    /// Prints the rules.
    fn list_rules(&self) -> Result<Exit, Failure> {
        let rules = RULES.iter().filter(|rule| self.wants(rule.name));
        let columns = if std::io::stdout().is_terminal() { reports::columns().min(100) } else { 80 };
        let text = match self.format.unwrap_or_default() {
            Kind::Pretty => list::pretty(rules, columns),
            Kind::Json => list::json(rules),
            Kind::Junit | Kind::Github | Kind::Sarif => {
                let error = anyhow!("the list of rules has the formats pretty and json");
                return Err(Failure::new(Exit::Usage, error));
            }
        };
        print_drawn(&text)?;
        Ok(Exit::Fine)
    }
}

/// Whether two names lead to one folder. One that is not there yet is none that is watched.
fn is_same_folder(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}
