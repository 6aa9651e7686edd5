//! Transcripts: files with everything that was observed, one observation per line, from which a judge finds the same again.
//!
//! The first line says what the file is: `{"transcript":1,"began":"2026-11-22T10:00:00Z","arrivals":true,…}`. Each other line
//! has the seconds since the first connection was opened, the connection unless it is the main one, and one of `opened`,
//! `refused`, `text`, `event`, `comment`, `binary`, `closed` and `stopped`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::context::MustResolve;
use super::observation::{MAIN, Observation, Observed};
use super::transcript_mistakes;

/// The version of the format.
const VERSION: u32 = 1;

/// The first line of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TranscriptHeader {
    /// The version of the format.
    transcript: u32,
    /// The server or scenario that was listened to.
    pub target: String,
    /// The wall clock when the first connection was opened.
    #[serde(deserialize_with = "crate::contract::deserialize_time")]
    pub began: Timestamp,
    /// Whether arrival times are meaningful.
    pub arrivals: bool,
    /// The scenario file whose `[expect]` was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// The settings with which an incident was started, of which it need not say them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The limits that were set, as `--limit` takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// The profile with which the stream was read: its name or file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The contract that the messages were held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
}

impl TranscriptHeader {
    /// The header of a new transcript.
    pub fn new(target: String, began: Timestamp, arrivals: bool, expect: Option<String>) -> Self {
        Self {
            transcript: VERSION,
            target,
            began,
            arrivals,
            expect,
            settings: BTreeMap::new(),
            limits: Vec::new(),
            profile: None,
            contract: None,
        }
    }

    /// The same with the profile and the contract by which the stream is read.
    #[must_use]
    pub fn read_by(self, profile: Option<String>, contract: Option<String>) -> Self {
        Self { profile, contract, ..self }
    }

    /// The line, without a line break.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a first line; `None` if the file is no transcript.
    ///
    /// # Errors
    /// The transcript has a version that is not known here.
    pub fn read(line: &str) -> Option<Result<Self, String>> {
        #[derive(Deserialize)]
        struct Version {
            transcript: serde_json::Value,
        }
        let Version { transcript } = serde_json::from_str(line).ok()?;
        Some(if transcript.as_u64() == Some(u64::from(VERSION)) {
            let wrong =
                |_| format!("the first line is no transcript's: {}", transcript_mistakes::of_header(line));
            serde_json::from_str(line).map_err(wrong)
        } else {
            Err(format!("the transcript has version {transcript}; this program reads {VERSION}"))
        })
    }
}

/// A line of a transcript.
#[derive(Serialize, Deserialize)]
struct Line {
    at: f64,
    #[serde(default, skip_serializing_if = "is_main")]
    connection: u32,
    #[serde(flatten)]
    what: Observation,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_main(connection: &u32) -> bool {
    *connection == MAIN
}

impl Observed {
    /// The line of a transcript, without a line break.
    pub fn to_line(&self) -> String {
        // Microseconds are enough, and read well.
        let at = (self.at.unwrap_or_default().as_secs_f64() * 1e6).round() / 1e6;
        let line = Line { at, connection: self.connection, what: self.what.clone() };
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads line number `number` of a transcript.
    ///
    /// # Errors
    /// It is not a line of a transcript.
    pub fn from_line(number: usize, text: &str) -> Result<Self, String> {
        let wrong = |text| format!("not a line of a transcript: {}", transcript_mistakes::of_line(text));
        let Line { at, connection, what } = serde_json::from_str(text).map_err(|_| wrong(text))?;
        let at = Duration::try_from_secs_f64(at).map_err(|_| wrong(text))?;
        Ok(Self { line: number, at: Some(at), connection, what })
    }
}

impl Serialize for MustResolve {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => out.serialize_bool(true),
            Self::Only(id) => out.serialize_some(id),
            Self::None => out.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for MustResolve {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        /// `true` stands for all, so that it is no incident's id.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            All(bool),
            Only(String),
        }
        Ok(match Option::<Written>::deserialize(input)? {
            Some(Written::All(true)) => Self::All,
            Some(Written::Only(id)) => Self::Only(id),
            Some(Written::All(false)) | None => Self::None,
        })
    }
}
