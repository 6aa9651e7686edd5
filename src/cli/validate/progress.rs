//! How far the checking has come, in one line on the terminal that stderr is.

use std::fs::File;
use std::io::{Read, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::check::Note;
use crate::cli::bars::Shows;
use crate::cli::out::painted;
use crate::cli::{fit, format, screen, terminal};

/// Recordings of fewer bytes are read before a person could see anything.
const LARGE: u64 = 32 * 1024 * 1024;

/// How often the line changes.
const PAUSE: Duration = Duration::from_millis(100);

/// The line. Nothing is shown in a pipe, and nothing if it is not wanted.
#[derive(Clone)]
pub(super) struct Progress(Option<Arc<Line>>);

struct Line {
    bar: ProgressBar,
    events: AtomicU64,
    last: Mutex<Option<Last>>,
}

struct Last {
    shown: Instant,
    /// When the last event arrived, and what it is.
    event: Option<(Instant, String)>,
}

impl Progress {
    pub(super) fn new(wanted: bool) -> Self {
        if !wanted || !terminal::redraws() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, screen::target(10));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}  {wide_msg}") {
            bar.set_style(style);
        }
        Self(Some(Arc::new(Line { bar, events: AtomicU64::new(0), last: Mutex::new(None) })))
    }

    /// Shows the line from now on, also while nothing arrives.
    pub(super) fn listens(&self) {
        if let Some(line) = &self.0 {
            line.bar.show(painted!["0 events"]);
            line.bar.enable_steady_tick(PAUSE);
        }
    }

    /// Takes a message.
    pub(super) fn see(&self, note: &Note, moment: Instant) {
        let Some(line) = &self.0 else { return };
        let is_event = note.position.is_some();
        let events = line.events.fetch_add(u64::from(is_event), Ordering::Relaxed) + u64::from(is_event);
        let mut last = line.last.lock();
        let last = last.get_or_insert_with(|| Last { shown: moment, event: None });
        if is_event {
            last.event = Some((moment, format!("{} {}", note.kind, note.subject)));
        }
        if moment.saturating_duration_since(last.shown) < PAUSE && events > 1 {
            return;
        }
        last.shown = moment;
        let mut text = format::count(events, "event");
        if let Some((at, what)) = &last.event {
            let age = moment.saturating_duration_since(*at).as_secs();
            let age = if age > 0 { format!(", {age} s ago") } else { String::new() };
            text += &format!("  last: {what}{age}");
        }
        // The spinner and the clock come before it.
        line.bar.show(painted![text].cut(fit::of_stderr().saturating_sub(12)));
    }

    /// A file whose reading is shown if it is large.
    pub(super) fn reads(&self, file: File) -> Reading {
        let size = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
        let bar = self.0.as_ref().filter(|_| size >= LARGE).map(|line| line.bar.clone());
        if let Some(bar) = &bar {
            bar.set_length(bar.length().unwrap_or_default() + size);
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {elapsed}  {bar:30} {percent:>3} % of {total_bytes}")
            {
                bar.set_style(style);
            }
            bar.enable_steady_tick(PAUSE);
        }
        Reading { file, bar }
    }

    /// Removes the line.
    pub(super) fn end(&self) {
        if let Some(line) = &self.0 {
            line.bar.finish_and_clear();
        }
    }
}

/// A file that is read.
pub(super) struct Reading {
    file: File,
    bar: Option<ProgressBar>,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let length = self.file.read(buffer)?;
        if let Some(bar) = &self.bar {
            bar.inc(length as u64);
        }
        Ok(length)
    }
}
