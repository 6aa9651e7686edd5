//! Judges a recording or a transcript from a file.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyhow::anyhow;
use tokio_util::sync::CancellationToken;

use super::peek::Opened;
use super::progress::Progress;
use super::stranger_args::StrangerArgs;
use super::targets::sound_scenario_at;
use crate::check::{
    Closing, Context, Expected, Judge, Judgement, Limits, MAIN, MustResolve, Observation, Observed, Purpose,
    Reader, TranscriptHeader, judge_lines_until,
};
use crate::cli::exit::{Exit, Failure};
use crate::cli::recorded::{ENCODING, open};
use crate::cli::scenarios::shipped;
use crate::recording::{RecordingError, TextLines};
use crate::shell::{self, word};

/// Judges the file by the rules that are wanted, until `stop`. One that can be read only once is open already.
pub(super) async fn judge(
    path: &Path,
    opened: Option<Opened>,
    context: Context,
    wanted: Vec<&'static str>,
    stop: CancellationToken,
    progress: &Progress,
) -> Result<Judgement, Failure> {
    let origin = path.display().to_string();
    let file: Box<dyn Read + Send> = match opened {
        Some(opened) => Box::new(opened),
        None => Box::new(progress.reads(open(path)?)),
    };
    let judging = tokio::task::spawn_blocking(move || judge_file(file, &origin, context, &wanted, &stop));
    judging.await.map_err(|error| Failure::new(Exit::Internal, error))?
}

fn judge_file(
    file: impl Read,
    origin: &str,
    context: Context,
    wanted: &[&str],
    stop: &CancellationToken,
) -> Result<Judgement, Failure> {
    let mut lines = TextLines::new(file, origin)
        .filter(|line| !matches!(line, Ok((_, text)) if text.trim().is_empty()))
        .peekable();
    let header = match lines.peek() {
        None => {
            let error = anyhow!("nothing was checked: {origin} is empty");
            return Err(Failure::new(Exit::Invalid, error));
        }
        Some(Ok((_, line))) => TranscriptHeader::read(line),
        Some(Err(_)) => None,
    };
    let selected = |rule: &str| wanted.contains(&rule);
    match header {
        None => judge_lines_until(lines, context, selected, || stop.is_cancelled()).map_err(failure),
        Some(header) => {
            let header = header.map_err(|what| Failure::new(Exit::Usage, anyhow!("{origin}:1: {what}")))?;
            let is_stopped = || stop.is_cancelled();
            let lines = lines.skip(1).take_while(|_| !is_stopped());
            judge_transcript(lines, origin, &header, context, selected, is_stopped)
        }
    }
}

fn judge_transcript(
    lines: impl Iterator<Item = Result<(usize, String), RecordingError>>,
    origin: &str,
    header: &TranscriptHeader,
    mut context: Context,
    selected: impl Fn(&str) -> bool,
    is_stopped: impl Fn() -> bool,
) -> Result<Judgement, Failure> {
    context.began = Some(header.began);
    // Its last line says what had to be resolved. One that was cut does not know.
    context.must_resolve = MustResolve::None;
    context.arrivals = header.arrivals;
    // What the flags say counts more.
    if context.limits == Limits::default() {
        for limit in &header.limits {
            context
                .limits
                .set(limit)
                .map_err(|what| Failure::new(Exit::Usage, anyhow!("{origin}:1: {what}")))?;
        }
    }
    let mut lost = None;
    if let (None, Some(place)) = (&context.expect, &header.expect) {
        context.expect = expected_at(place);
        if context.expect.is_none() {
            lost = Some(format!(
                "the [expect] of {place} was not checked: it is not there; --expect FILE names another"
            ));
        }
    }
    if let Some(expected) = &mut context.expect {
        expected.settings = header.settings.clone().into_iter().collect();
    }
    if let (None, Some(name)) = (&context.profile, &header.profile) {
        context.profile = StrangerArgs::profile_at(name).map_err(|_| named("profile", name, origin))?;
    }
    if let (None, Some(file)) = (&context.contract, &header.contract) {
        let contract =
            StrangerArgs::contract_at(Path::new(file)).map_err(|_| named("contract", file, origin))?;
        context.contract = Some(contract);
    }
    let reader = Reader::of(&context);
    let mut judge = Judge::new(context, true, selected);
    let (mut open, mut last) = (BTreeSet::new(), (0, None));
    for line in lines {
        let (number, text) = line.map_err(failure)?;
        let observed = Observed::from_line(number, &text)
            .map_err(|what| Failure::new(Exit::Usage, anyhow!("{origin}:{number}: {what}")))?;
        judge.see(&observed, &reader);
        match observed.what {
            Observation::Opened(_) => drop(open.insert(observed.connection)),
            Observation::Closed(_) => drop(open.remove(&observed.connection)),
            _ => {}
        }
        last = (observed.line, observed.at);
    }
    if is_stopped() {
        // As `session.rs` has it: what was not read any more is not missing.
        let (line, at) = last;
        for connection in open {
            let what = match connection {
                MAIN => Observation::Closed(Closing::Left),
                _ => Observation::Opened(Purpose::Follow),
            };
            judge.see(&Observed { line, at, connection, what }, &reader);
        }
    }
    let mut judgement = judge.finish();
    judgement.warnings.extend(lost);
    Ok(judgement)
}

/// The expectations of a scenario at `FILE:LINE`, which may be a built-in one.
fn expected_at(place: &str) -> Option<Expected> {
    let (file, _) = place.rsplit_once(':')?;
    let scenario = sound_scenario_at(Path::new(file)).ok().or_else(|| {
        let name = Path::new(file).file_stem()?.to_str()?;
        shipped().ok()?.get(name).cloned()
    })?;
    Expected::of(&scenario)
}

/// The failure to read what the header of a transcript names. It shows nothing of that file: a transcript from elsewhere may
/// name any file of this machine, and what is printed here lands in logs.
fn named(flag: &str, file: &str, origin: &str) -> Failure {
    let error =
        anyhow!("{origin}:1: the {flag} {file:?} that the transcript names is not there, or has mistakes");
    let (flag, origin, file) = (word(flag), shell::file(Path::new(origin)), word(file));
    Failure::new(Exit::Usage, error).hint(format!(
        "incident validate {origin} --{flag} {file} shows them, and --{flag} may name another",
    ))
}

fn failure(error: RecordingError) -> Failure {
    let encoding = matches!(error, RecordingError::Encoding { .. });
    let failure = Failure::new(Exit::Usage, error);
    if encoding { failure.hint(ENCODING) } else { failure }
}
