//! Everything that is observed of one target: it goes to the judge and to the transcript.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::progress::Progress;
use super::transcripts::OpenTranscript;
use crate::check::{Context, Judge, Judgement, MAIN, Note, Observation, Observed, Purpose, Reader};
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
    /// What was not checked.
    remarks: Vec<String>,
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
        Ok(Self { judge, reader, transcript, progress, began: moment, line: 1, remarks: Vec::new() })
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

    /// Says that a connection was left in the middle: what is missing because of the interruption is no finding.
    pub(super) fn give_up(&mut self, connection: u32) -> Result<(), Failure> {
        self.observe(connection, Instant::now(), Observation::Opened(Purpose::Follow)).map(drop)
    }

    /// The same of one that resumed, on which messages were still coming when the time was over.
    pub(super) fn cut(&mut self, connection: u32, limit: Duration) -> Result<(), Failure> {
        let limit = limit.as_secs();
        let what = "not checked: whether a client that resumes gets everything";
        let remark = format!("{what}, because after {limit} s more was coming");
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
        self.give_up(connection)
    }

    /// Judges what was observed.
    pub(super) fn finish(self) -> (Judgement, OpenTranscript) {
        let mut judgement = self.judge.finish();
        judgement.warnings.extend(self.remarks);
        (judgement, self.transcript)
    }
}
