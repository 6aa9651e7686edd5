//! The phases of a compiled scenario in both times: each is played evenly over its `play`.

use crate::contract::{Phase, ScreenMap, ScreenSpan};
use crate::scenario::duration::Micros;
use crate::scenario::file::ScenarioFile;

/// The map between both times, with the phases' names.
pub(super) struct Screen {
    map: ScreenMap,
    /// In the order of the map's spans.
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

    /// The screen time of a moment.
    pub(super) fn of(&self, time: Micros) -> u64 {
        self.map.screen(time.0)
    }

    /// The moment at a screen time.
    pub(super) fn incident(&self, screen: u64) -> Micros {
        Micros(self.map.incident(screen))
    }

    /// How long all takes on screen.
    pub(super) fn duration(&self) -> u64 {
        self.map.duration()
    }

    /// Place of the phase that takes the longest on screen.
    pub(super) fn longest(&self) -> usize {
        let places = self.map.spans().iter().enumerate();
        places.max_by_key(|(_, span)| span.play).map_or(0, |(place, _)| place)
    }

    /// The phase a moment falls into; the last one's end still belongs to it.
    pub(super) fn phase(&self, time: Micros) -> &str {
        &self.names[self.place(time)]
    }

    /// First moment and end of the phase a moment falls into.
    pub(super) fn borders(&self, time: Micros) -> (Micros, Micros) {
        let ScreenSpan { start, end, .. } = self.map.spans()[self.place(time)];
        (Micros(start), Micros(end))
    }

    /// Each phase's name, first moment and end.
    pub(super) fn spans(&self) -> impl Iterator<Item = (&str, Micros, Micros)> {
        let spans = self.names.iter().zip(self.map.spans());
        spans.map(|(name, span)| (name.as_str(), Micros(span.start), Micros(span.end)))
    }

    /// The phases as the contract has them.
    pub(super) fn phases(&self) -> impl Iterator<Item = Phase> {
        self.names.iter().zip(self.map.spans()).map(|(name, span)| Phase {
            name: name.clone(),
            start_s: Micros(span.start).secs(),
            end_s: Some(Micros(span.end).secs()),
            play_s: Some(Micros(span.play).secs()),
        })
    }

    fn place(&self, time: Micros) -> usize {
        let next = self.map.spans().partition_point(|span| span.start <= time.0);
        next.saturating_sub(1)
    }
}
