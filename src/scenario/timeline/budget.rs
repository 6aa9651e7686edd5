//! The budget of a plan: how many bytes it may have, and how many values may be computed for it. It counts work and not
//! time, so that the same file is taken or refused on every machine.

use std::ops::Range;

use super::error::CompileError;
use super::schedule::Schedule;
use super::screen::Screen;
use crate::contract::MAX_EVENT_BYTES;
use crate::scenario::file::ScenarioFile;

/// The most bytes of all payloads of a plan. A plan is kept in memory while it is played, and stored with its incident.
pub(super) const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The most values that are computed for a plan: of metrics at samples, and of beliefs at step events.
const MOST_VALUES: u64 = 5_000_000;

/// The fewest bytes of a sample without metrics, and of a metric in a sample without its name.
const SAMPLE_BYTES: u64 = 56;
const VALUE_BYTES: u64 = 6;

/// Bytes that the player and the journal add to a payload: the speed and the start, or how late an action is; and the
/// incident's name and the envelope.
const ADDED_BYTES: usize = 1024;

/// What is left of the budget while the plan is made.
pub(super) struct Budget {
    seed: u64,
    bytes: usize,
}

impl Budget {
    /// The budget of a file, after a look at the numbers that it declares: what is too much for certain is refused before
    /// any of it is computed.
    pub(super) fn of(
        file: &ScenarioFile,
        screen: &Screen,
        schedule: &Schedule,
        seed: u64,
    ) -> Result<Self, CompileError> {
        let samples = screen.samples(file.metrics_every.get_ref().0);
        let (metrics, events) = (file.metrics.0.len() as u64, schedule.events.len() as u64);
        let names: u64 =
            file.metrics.0.iter().map(|(name, _)| name.get_ref().len() as u64 + VALUE_BYTES).sum();
        let bytes = samples.saturating_mul(SAMPLE_BYTES + names);
        let fail = |message, span, help: &str| CompileError::new(message, seed, span, help);
        if bytes > MOST_BYTES as u64 {
            let message = format!(
                "{samples} samples of {metrics} metrics are at least {}: a plan has at most {}",
                mebibytes(bytes),
                mebibytes(MOST_BYTES as u64)
            );
            let every = file.metrics_every.span();
            let first = file.metrics.0.first().map_or(file.id.span(), |(name, _)| name.span());
            let span = if every.is_empty() { first } else { every };
            return Err(fail(
                message,
                span,
                "raise metrics_every, give the phases a shorter `play`, or leave metrics out",
            ));
        }
        let hypotheses = file.hypotheses.len() as u64;
        if events.saturating_mul(hypotheses) > MOST_VALUES {
            let message = format!(
                "{events} events of steps with {hypotheses} hypotheses are more than {MOST_VALUES} beliefs"
            );
            let span = file.hypotheses.first().map_or(file.id.span(), |first| first.id.span());
            return Err(fail(message, span, "leave hypotheses or steps out, or retry less often"));
        }
        Ok(Self { seed, bytes: MOST_BYTES })
    }

    /// Takes the payload of the event with this index. `span` is what the event comes from, and `help` how to make it smaller.
    pub(super) fn take(
        &mut self,
        index: u64,
        bytes: usize,
        span: impl FnOnce() -> Range<usize>,
        help: &str,
    ) -> Result<(), CompileError> {
        let made = MOST_BYTES - self.bytes;
        let fail = |message, span, help| Err(CompileError { message, seed: self.seed, span, help, made });
        // Otherwise the journal would refuse the event during the incident.
        if bytes > MAX_EVENT_BYTES - ADDED_BYTES {
            let message = format!("the data of event {index} has {bytes} bytes");
            let help = format!("an event has at most {MAX_EVENT_BYTES} bytes with its envelope; {help}");
            return fail(message, span(), help);
        }
        let Some(left) = self.bytes.checked_sub(bytes) else {
            let most = mebibytes(MOST_BYTES as u64);
            let message = format!("the events up to here have more than {most}, which is the most of a plan");
            let help = format!("{help}; or leave out steps, metrics, or samples by a higher metrics_every");
            return fail(message, span(), help);
        };
        self.bytes = left;
        Ok(())
    }
}

/// `32 MiB`, rounded up.
fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1024 * 1024))
}
