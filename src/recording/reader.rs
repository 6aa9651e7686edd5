//! From lines to incidents, in one pass.

use std::collections::HashMap;
use std::io::BufRead;

use jiff::Timestamp;

use super::course::{Course, State};
use super::line::{self, Event, Line};
use super::lines::Lines;
use super::{Recording, RecordingError};

/// How many incidents a warning names.
const NAMED: usize = 10;

/// What was read so far.
pub(super) struct Reader<'a> {
    origin: &'a str,
    /// The line that is read, from 1.
    line: usize,
    /// Time of the newest event of each stream. There are several when a server's journal was made anew meanwhile.
    streams: HashMap<String, Timestamp>,
    courses: Vec<Course>,
    /// Places among the courses, by incident.
    places: HashMap<String, Vec<usize>>,
    /// The first line whose time falls back, and how many do.
    falls: Option<(usize, u64)>,
    torn: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(origin: &'a str) -> Self {
        Self {
            origin,
            line: 0,
            streams: HashMap::new(),
            courses: Vec::new(),
            places: HashMap::new(),
            falls: None,
            torn: false,
        }
    }

    pub(super) fn read(mut self, lines: impl BufRead) -> Result<Recording, RecordingError> {
        let mut lines = Lines::new(lines);
        while let Some(line) = lines.next().map_err(|error| RecordingError::of(self.origin, error))? {
            self.line = line.number;
            // Nothing comes after a line without a line break.
            self.torn = !line.ended && line::is_torn(&line.text);
            if self.torn {
                break;
            }
            let taken = match line::read(&line.text) {
                Ok(Line::Event(event)) => self.take(*event),
                Ok(Line::Nothing) => Ok(()),
                Err(what) => Err(what),
            };
            taken.map_err(|what| self.wrong(what))?;
        }
        self.finish()
    }

    fn take(&mut self, event: Event) -> Result<(), String> {
        let (source, time) = (&event.envelope.source, event.envelope.time);
        match self.streams.get_mut(source) {
            Some(newest) => *newest = time.max(*newest),
            None => drop(self.streams.insert(source.clone(), time)),
        }
        let id = event.envelope.incident();
        let known = self.places.get(id).map_or(&[][..], Vec::as_slice);
        let place = match known.iter().copied().find(|place| self.courses[*place].has(&event)) {
            Some(place) if self.courses[place].skips(&event) => return Ok(()),
            Some(place) if self.courses[place].state != State::Headless => place,
            Some(place) => {
                self.courses[place] = Course::new(&event)?;
                place
            }
            None => {
                self.courses.push(Course::new(&event)?);
                let place = self.courses.len() - 1;
                self.places.entry(id.to_owned()).or_default().push(place);
                place
            }
        };
        let course = &mut self.courses[place];
        if course.state != State::Headless && !course.push(event)? {
            let (_, count) = self.falls.get_or_insert((self.line, 0));
            *count += 1;
        }
        Ok(())
    }

    /// Ends what is open, and says what is not as it was.
    fn finish(self) -> Result<Recording, RecordingError> {
        let mut warnings = Vec::new();
        if self.torn {
            warnings.push(format!("{}:{}: the last line is torn: left out", self.origin, self.line));
        }
        if let Some((line, count)) = self.falls {
            let more = if count > 1 { format!(", {count} times") } else { String::new() };
            let what = format!("the time falls back{more}: played right after the event before");
            warnings.push(format!("{}:{line}: {what}", self.origin));
        }
        let (headless, mut played): (Vec<_>, Vec<_>) =
            self.courses.into_iter().partition(|course| course.state == State::Headless);
        if !headless.is_empty() {
            let names = named(headless.iter());
            if played.is_empty() {
                let why = format!("it has the start of none, only later events of {names}");
                return Err(RecordingError::Nothing { origin: self.origin.to_owned(), why });
            }
            warnings.push(format!("{}: the start of {names} is not there: left out", self.origin));
        }
        let open = || played.iter().filter(|course| course.state == State::Open);
        if open().next().is_some() {
            let names = named(open());
            warnings
                .push(format!("{}: it ends before the resolution of {names}: cancelled there", self.origin));
        }
        for course in played.iter_mut().filter(|course| course.state == State::Open) {
            if let Some(newest) = self.streams.get(course.source()) {
                course.cut(*newest);
            }
        }
        played.sort_by_key(|course| course.began);
        let Some(first) = played.first().map(|course| course.began) else {
            let why = "it has no event".to_owned();
            return Err(RecordingError::Nothing { origin: self.origin.to_owned(), why });
        };
        let incidents = played.into_iter().map(|course| course.recorded(first)).collect();
        Ok(Recording { incidents, warnings })
    }

    fn wrong(&self, what: String) -> RecordingError {
        RecordingError::Line { origin: self.origin.to_owned(), line: self.line, what }
    }
}

/// `a`, `a and b`, `a, b and 3 more`.
fn named<'a>(courses: impl Iterator<Item = &'a Course>) -> String {
    let names: Vec<&str> = courses.map(|course| course.id.as_str()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] if names.len() <= NAMED => format!("{} and {last}", most.join(", ")),
        many => format!("{} and {} more", many[..NAMED].join(", "), many.len() - NAMED),
    }
}
