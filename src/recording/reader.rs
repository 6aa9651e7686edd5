//! Reading the lines of a recording into incidents, in one pass.

use std::collections::HashMap;
use std::io::BufRead;

use jiff::Timestamp;

use super::error::RecordingError;
use super::incident::{IncidentBuilder, RecordedExtent};
use super::line::{self, RecordedEvent, RecordedLine};
use super::lines::Lines;
use super::recorded::Recording;
use super::timing::{LONG_US, STEP_US};

/// The most incidents that a warning names.
const NAMED: usize = 10;

/// What was read of one stream.
#[derive(Default)]
struct RecordedStream {
    /// The latest time of its events in microseconds since 1970, moved as the times of their incidents are.
    newest_us: Option<i64>,
    /// How far the times of new incidents are moved.
    shift_us: i64,
    /// The last line's event: its position and its moved time.
    last: Option<(u64, i64)>,
}

impl RecordedStream {
    /// Moves the times of the incident that begins at a position, if the clock was set back before it. Otherwise the
    /// replay would wait from the corrected time to the wrong one.
    fn begins(&mut self, position: u64, time_us: i64) -> bool {
        match self.last {
            Some((before, last)) if before + 1 == position && last - (time_us + self.shift_us) > STEP_US => {
                self.shift_us = last - time_us;
                true
            }
            _ => false,
        }
    }
}

/// The state of reading a recording.
pub(super) struct Reader<'a> {
    origin: &'a str,
    /// Number of the current line, from 1.
    line: usize,
    /// A recording has several streams if the server's journal was created anew while it was being recorded.
    streams: HashMap<String, RecordedStream>,
    incidents: Vec<IncidentBuilder>,
    /// Indexes into `incidents`. Several incidents may have the same id.
    places: HashMap<String, Namesakes>,
    /// The first line whose time goes back, and the number of such lines.
    falls: Option<(usize, u64)>,
    /// The first line before which the clock was set back, and the number of such lines.
    set_back: Option<(usize, u64)>,
    /// Whether the last line is incomplete.
    torn: bool,
}

/// The incidents of one id, as indexes.
#[derive(Default)]
struct Namesakes {
    /// By each stream in which they were recorded.
    by_source: HashMap<String, usize>,
    /// Those with their start, by its time.
    by_start: HashMap<Timestamp, usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(origin: &'a str) -> Self {
        Self {
            origin,
            line: 0,
            streams: HashMap::new(),
            incidents: Vec::new(),
            places: HashMap::new(),
            falls: None,
            set_back: None,
            torn: false,
        }
    }

    pub(super) fn read(mut self, lines: impl BufRead) -> Result<Recording, RecordingError> {
        let mut lines = Lines::new(lines);
        while let Some(line) = lines.next().map_err(|error| RecordingError::of(self.origin, error))? {
            self.line = line.number;
            self.torn = !line.ended && line::is_torn(&line.text);
            if self.torn {
                // It has no line break, so it is the last line.
                break;
            }
            let taken = match line::read(&line.text) {
                Ok(RecordedLine::Event(event)) => self.take(*event),
                Ok(RecordedLine::Skip) => Ok(()),
                Err(what) => Err(what),
            };
            taken.map_err(|what| self.wrong(what))?;
        }
        self.finish()
    }

    fn take(&mut self, event: RecordedEvent) -> Result<(), String> {
        let (source, time) = (event.envelope.source.clone(), event.envelope.time);
        let namesakes = self.places.entry(event.envelope.incident().to_owned()).or_default();
        let known = namesakes.by_source.get(&source).copied().or_else(|| {
            // A stream may repeat the start of an incident of another one.
            let place = *namesakes.by_start.get(&time).filter(|_| event.index == 1)?;
            self.incidents[place].also_in(&source);
            Some(place)
        });
        let shift_us = self.shift_of(&event, known);
        let namesakes = self.places.entry(event.envelope.incident().to_owned()).or_default();
        let place = match known {
            Some(place) if self.incidents[place].skips(&event) => {
                self.incidents[place].skipped(event.index, self.line);
                namesakes.by_source.entry(source).or_insert(place);
                return Ok(());
            }
            Some(place) if self.incidents[place].extent != RecordedExtent::WithoutStart => place,
            Some(place) => {
                let early = self.incidents[place].early;
                self.incidents[place] = IncidentBuilder::new(&event, shift_us)?;
                self.incidents[place].early = early;
                place
            }
            None => {
                let mut incident = IncidentBuilder::new(&event, shift_us)?;
                incident.skipped(event.index, self.line);
                self.incidents.push(incident);
                self.incidents.len() - 1
            }
        };
        namesakes.by_source.entry(source).or_insert(place);
        if self.incidents[place].extent != RecordedExtent::WithoutStart {
            namesakes.by_start.entry(self.incidents[place].began).or_insert(place);
        }
        let incident = &mut self.incidents[place];
        if incident.extent != RecordedExtent::WithoutStart && !incident.push(event, self.line)? {
            let (_, count) = self.falls.get_or_insert((self.line, 0));
            *count += 1;
        }
        Ok(())
    }

    /// How far the times of the event's incident are moved. `known` is the incident's place, if it has begun.
    fn shift_of(&mut self, event: &RecordedEvent, known: Option<usize>) -> i64 {
        let position = event.envelope.position().map_or(0, |position| position.n);
        let time_us = event.envelope.time.as_microsecond();
        let stream = self.streams.entry(event.envelope.source.clone()).or_default();
        let shift_us = match known {
            Some(place) => self.incidents[place].shift_us,
            None => {
                if event.index == 1 && stream.begins(position, time_us) {
                    self.set_back.get_or_insert((self.line, 0)).1 += 1;
                }
                stream.shift_us
            }
        };
        let time_us = time_us.saturating_add(shift_us);
        stream.newest_us = Some(stream.newest_us.map_or(time_us, |newest| newest.max(time_us)));
        stream.last = Some((position, time_us));
        shift_us
    }

    /// Cancels open incidents and collects the warnings.
    fn finish(self) -> Result<Recording, RecordingError> {
        let mut warnings = Vec::new();
        if self.torn {
            warnings
                .push(format!("{}:{}: the last line is incomplete and was skipped", self.origin, self.line));
        }
        if let Some((line, count)) = self.falls {
            let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
            let what = format!("the time goes back{times}; the event is played right after the previous one");
            warnings.push(format!("{}:{line}: {what}", self.origin));
        }
        if let Some((line, count)) = self.set_back {
            let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
            let what = format!(
                "the server's clock was set back before this incident{times}; it is played right after the event before it"
            );
            warnings.push(format!("{}:{line}: {what}", self.origin));
        }
        let (without_start, mut played): (Vec<_>, Vec<_>) =
            self.incidents.into_iter().partition(|incident| incident.extent == RecordedExtent::WithoutStart);
        if !without_start.is_empty() {
            let names = named(without_start.iter());
            if played.is_empty() {
                let why = format!("it lacks the start of {names}");
                return Err(RecordingError::Nothing { origin: self.origin.to_owned(), why });
            }
            warnings.push(format!("{}: not played, because the start is missing: {names}", self.origin));
        }
        if let Some((line, what)) = played.iter().filter_map(IncidentBuilder::misplaced).min() {
            return Err(RecordingError::Line { origin: self.origin.to_owned(), line, what });
        }
        let open = || played.iter().filter(|incident| incident.extent == RecordedExtent::Open);
        if open().next().is_some() {
            let names = named(open());
            warnings.push(format!(
                "{}: cancelled at the end of the recording, because the resolution is missing: {names}",
                self.origin
            ));
        }
        let times = played.iter_mut().filter_map(IncidentBuilder::check_times);
        warnings.extend(times.map(|what| format!("{}: {what}", self.origin)));
        for incident in played.iter_mut().filter(|incident| incident.extent == RecordedExtent::Open) {
            if let Some(newest_us) = self.streams.get(incident.source()).and_then(|stream| stream.newest_us) {
                let ends = Timestamp::from_microsecond(newest_us.saturating_sub(incident.shift_us));
                incident.cut(ends.unwrap_or(incident.began));
            }
        }
        if let Some((line, what)) = played.iter().filter_map(IncidentBuilder::too_late).min() {
            return Err(RecordingError::Endless { origin: self.origin.to_owned(), line, what });
        }
        played.sort_by_key(IncidentBuilder::start_us);
        let Some(first) = played.first().map(IncidentBuilder::start_us) else {
            let why = "it has no events".to_owned();
            return Err(RecordingError::Nothing { origin: self.origin.to_owned(), why });
        };
        for pair in played.windows(2) {
            let wait = pair[1].start_us() - pair[0].start_us();
            if wait > LONG_US {
                let (hours, before, after) = (wait / 3_600_000_000, &pair[0].id, &pair[1].id);
                warnings.push(format!(
                    "{}: {after} starts {hours} hours after {before}; the replay waits as long. If the clock of its server was \
                     set, --speed shortens it",
                    self.origin
                ));
            }
        }
        let incidents = played.into_iter().map(|incident| incident.recorded(first)).collect();
        Ok(Recording { incidents, warnings })
    }

    fn wrong(&self, what: String) -> RecordingError {
        RecordingError::Line { origin: self.origin.to_owned(), line: self.line, what }
    }
}

/// `a`, `a and b`, `a, b and 3 more`.
fn named<'a>(incidents: impl Iterator<Item = &'a IncidentBuilder>) -> String {
    let names: Vec<&str> = incidents.map(|incident| incident.id.as_str()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] if names.len() <= NAMED => format!("{} and {last}", most.join(", ")),
        many => format!("{} and {} more", many[..NAMED].join(", "), many.len() - NAMED),
    }
}
