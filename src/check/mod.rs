//! The validator: judges a recorded or live stream by rules. It only takes what was observed on connections: it opens no
//! socket and reads no clock.
//!
//! A text frame is read ([`Reader`]), which finds what is wrong with it alone, and then taken by a [`Judge`], which compares
//! it with what came before. A rule is an entry in `rules.rs`, which `incident validate --list` prints, and the code that
//! adds findings to it.
//!
//! Invariants:
//! - a rule without anything to check is [`Verdict::NotChecked`], never passed;
//! - one mistake in a stream breaks one rule, so that a finding points at its cause: an event that can't be read is not
//!   also a gap, and the totals of an incident that lacks events are not compared;
//! - memory does not grow with the length of the stream.
//!
//! ```
//! use incident::check::{Context, Verdict, judge_lines};
//!
//! let event = |id: u64, index: u64| {
//!     format!(
//!         r#"{{"specversion":"1.0","id":"{id}","source":"/streams/S","type":"system_metrics","subject":"checkout-1",
//!             "time":"2026-11-22T10:00:00Z","index":{index},"data":{{"synthetic":false,"metrics":{{}}}}}}"#
//!     )
//!     .replace('\n', "")
//! };
//! let lines = [event(1, 1), event(3, 3)];
//! let lines = lines.into_iter().zip(1..).map(|(text, line)| Ok::<_, std::io::Error>((line, text)));
//! let judgement = judge_lines(lines, Context::default(), |rule| rule == "gap")?;
//! let [(_, Verdict::Failed(findings, _))] = judgement.rules.as_slice() else { panic!("a gap") };
//! assert_eq!(findings[0].message, "position 2 is missing");
//! # Ok::<(), std::io::Error>(())
//! ```

mod announced;
mod answer;
mod arrival;
mod by_position;
mod clock;
mod confidence;
mod connection;
mod context;
mod control;
mod cost;
mod course;
mod declared;
mod doubts;
mod envelope;
mod expected;
mod finding;
mod followed;
mod foreign;
mod frame;
mod further;
mod head;
mod incident;
mod incidents;
mod indexes;
mod judge;
mod lifecycle;
mod limits;
mod names;
mod numbering;
mod observation;
mod outcomes;
mod payload;
mod phases;
mod profile;
mod reader;
mod recording;
mod rules;
mod seconds;
mod spans;
mod strict_json;
mod tally;
mod times;
mod transcript;
mod transcript_mistakes;
mod verdicts;

pub use context::{Context, MustResolve};
pub use expected::Expected;
pub use finding::{Finding, Verdict};
pub use frame::{ForeignNote, Frame, Note};
pub use judge::{Judge, Judgement};
pub use limits::Limits;
pub use observation::{Closing, MAIN, Observation, Observed, Promise, Purpose, ServerEvent};
pub use profile::{
    Bookmark, Envelope, FieldPlace, KEYS, Key, Profile, Resume, SHIPPED_PROFILES, Subscribing, TimeFormat,
    WrongHeader, header, subprotocol,
};
pub use reader::Reader;
pub use recording::{judge_lines, judge_lines_until};
pub use rules::{RULES, Rule};
pub use transcript::TranscriptHeader;
