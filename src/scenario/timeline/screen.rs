//! The phases of a scenario in incident time and screen time: each is stretched or shortened evenly to its `play`.

use crate::contract::{Phase, ScreenMap, ScreenSpan};
use crate::scenario::duration::Micros;
use crate::scenario::file::ScenarioFile;

/// The map between incident time and screen time, with the names of the phases.
pub(super) struct Screen {
    map: ScreenMap,
    /// The names of the phases, in the order of the map's spans.
    names: Vec<String>,
}

impl Screen {
    pub(super) fn new(file: &ScenarioFile, end: Micros) -> Self {
        let starts = file.phases.iter().map(|phase| phase.at.get_ref().0);
        let ends = starts.clone().skip(1).chain([end.0]);
        let map = ScreenMap::new(file.phases.iter().zip(starts.zip(ends)).map(|(phase, (start, end))| {
            (start, end, phase.play.as_ref().map_or(end - start, |play| play.get_ref().0))
        }));
        Self { map, names: file.phases.iter().map(|phase| phase.name.get_ref().clone()).collect() }
    }

    /// The map alone.
    pub(super) fn map(&self) -> &ScreenMap {
        &self.map
    }

    /// The screen time of an incident time, in microseconds.
    pub(super) fn of(&self, time: Micros) -> u64 {
        self.map.screen(time.0)
    }

    /// The incident time of a screen time.
    pub(super) fn incident(&self, screen: u64) -> Micros {
        Micros(self.map.incident(screen))
    }

    /// How long the incident takes on screen, in microseconds.
    pub(super) fn duration(&self) -> u64 {
        self.map.duration()
    }

    /// How many samples there are at one `every` so many microseconds on screen, and one at the end.
    pub(super) fn samples(&self, every: u64) -> u64 {
        self.duration().div_ceil(every).saturating_add(1)
    }

    /// Number of the phase that takes the longest on screen, from 0.
    pub(super) fn longest(&self) -> usize {
        let places = self.map.spans().iter().enumerate();
        places.max_by_key(|(_, span)| span.play).map_or(0, |(place, _)| place)
    }

    /// Name of the phase at a moment. The end of the last phase belongs to it.
    pub(super) fn phase(&self, time: Micros) -> &str {
        &self.names[self.place(time)]
    }

    /// Number of the phase at a moment, from 0.
    pub(super) fn place(&self, time: Micros) -> usize {
        let next = self.map.spans().partition_point(|span| span.start <= time.0);
        next.saturating_sub(1)
    }

    /// Start and end of the phase at a moment.
    pub(super) fn borders(&self, time: Micros) -> (Micros, Micros) {
        let ScreenSpan { start, end, .. } = self.map.spans()[self.place(time)];
        (Micros(start), Micros(end))
    }

    /// The name, start and end of each phase.
    pub(super) fn spans(&self) -> impl Iterator<Item = (&str, Micros, Micros)> {
        let spans = self.names.iter().zip(self.map.spans());
        spans.map(|(name, span)| (name.as_str(), Micros(span.start), Micros(span.end)))
    }

    /// The phases in the form of the contract.
    pub(super) fn phases(&self) -> impl Iterator<Item = Phase> {
        self.names.iter().zip(self.map.spans()).map(|(name, span)| Phase {
            name: name.clone(),
            start_s: Micros(span.start).secs(),
            end_s: Some(Micros(span.end).secs()),
            play_s: Some(Micros(span.play).secs()),
        })
    }
}
