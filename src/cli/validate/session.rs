//! Everything that is observed of one target: it goes to the judge and to the transcript.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::progress::Progress;
use super::transcripts::OpenTranscript;
use crate::check::{Context, Judge, Judgement, MAIN, Note, Observation, Observed, Reader};
use crate::cli::exit::Failure;

/// The observing of one target.
pub(super) struct Session {
    judge: Judge,
    reader: Reader,
    transcript: OpenTranscript,
    progress: Progress,
    /// When the first connection was opened.
    began: Instant,
    /// The last line of the transcript.
    line: usize,
}

impl Session {
    /// Begins to observe: the first connection is opened now.
    pub(super) fn begin(
        mut context: Context,
        mut transcript: OpenTranscript,
        progress: Progress,
        selected: impl Fn(&str) -> bool,
    ) -> Result<Self, Failure> {
        // Both clocks now: compiling the schema takes a while.
        let (began, moment) = (Timestamp::now(), Instant::now());
        context.began = Some(began);
        transcript.begin(began, context.arrivals)?;
        let reader = Reader::of(&context);
        let judge = Judge::new(context, true, selected);
        progress.listens();
        Ok(Self { judge, reader, transcript, progress, began: moment, line: 1 })
    }

    /// Takes an observation that was made at `moment`.
    pub(super) fn observe(
        &mut self,
        connection: u32,
        moment: Instant,
        what: Observation,
    ) -> Result<Note, Failure> {
        self.line += 1;
        // As exact as the transcript has it, so that its judge sees the same.
        let micros = moment.saturating_duration_since(self.began).as_micros();
        let at = Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)));
        let observed = Observed { line: self.line, at, connection, what };
        self.transcript.write(&observed)?;
        let note = self.judge.see(&observed, &self.reader);
        if connection == MAIN {
            self.progress.see(&note, moment);
        }
        Ok(note)
    }

    /// Judges what was observed.
    pub(super) fn finish(self) -> (Judgement, OpenTranscript) {
        (self.judge.finish(), self.transcript)
    }
}
