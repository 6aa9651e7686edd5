//! Incident time and screen time: each phase is played evenly over its `play`.

use crate::contract::Phase;
use crate::scenario::Micros;
use crate::scenario::file::ScenarioFile;

/// The map between both times.
pub(super) struct Screen {
    spans: Vec<Span>,
}

struct Span {
    name: String,
    start: u64,
    end: u64,
    /// Screen time at which the phase starts.
    screen: u64,
    play: u64,
}

impl Screen {
    pub(super) fn new(file: &ScenarioFile, end: Micros) -> Self {
        let starts = file.phases.iter().map(|phase| phase.at.get_ref().0);
        let ends = starts.clone().skip(1).chain([end.0]);
        let mut screen = 0;
        let spans = file.phases.iter().zip(starts.zip(ends)).map(|(phase, (start, end))| {
            let play = phase.play.as_ref().map_or(end - start, |play| play.get_ref().0);
            let span = Span { name: phase.name.get_ref().clone(), start, end, screen, play };
            screen = screen.saturating_add(play);
            span
        });
        Self { spans: spans.collect() }
    }

    /// From `incident_started`'s phases: what a plan has. Those of a recording may be anything: none is shorter than
    /// nothing.
    pub(super) fn of_phases(phases: &[Phase]) -> Self {
        let mut screen = 0;
        let spans = phases.iter().map(|phase| {
            let play = Micros::from_secs(phase.play_s).0;
            let start = Micros::from_secs(phase.start_s).0;
            let end = Micros::from_secs(phase.end_s).0.max(start);
            let span = Span { name: phase.name.clone(), start, end, screen, play };
            screen = screen.saturating_add(play);
            span
        });
        Self { spans: spans.collect() }
    }

    /// The screen time of a moment.
    pub(super) fn of(&self, time: Micros) -> u64 {
        let next = self.spans.partition_point(|span| span.start <= time.0);
        let span = &self.spans[next.saturating_sub(1)];
        let into = time.0.min(span.end) - span.start;
        span.screen + scale(into, span.play, span.end - span.start)
    }

    /// The moment at a screen time.
    pub(super) fn incident(&self, screen: u64) -> Micros {
        let next = self.spans.partition_point(|span| span.screen <= screen);
        let Some(span) = self.spans.get(next.saturating_sub(1)) else { return Micros(screen) };
        let into = (screen - span.screen).min(span.play);
        Micros(span.start + scale(into, span.end - span.start, span.play))
    }

    /// How long all takes on screen.
    pub(super) fn duration(&self) -> u64 {
        self.spans.last().map_or(0, |span| span.screen.saturating_add(span.play))
    }

    /// Place of the phase that takes the longest on screen.
    pub(super) fn longest(&self) -> usize {
        let places = self.spans.iter().enumerate();
        places.max_by_key(|(_, span)| span.play).map_or(0, |(place, _)| place)
    }

    /// The phase a moment falls into; the last one's end still belongs to it.
    pub(super) fn phase(&self, time: Micros) -> &str {
        let next = self.spans.partition_point(|span| span.start <= time.0);
        &self.spans[next.saturating_sub(1)].name
    }

    /// First moment and end of the phase a moment falls into.
    pub(super) fn borders(&self, time: Micros) -> (Micros, Micros) {
        let next = self.spans.partition_point(|span| span.start <= time.0);
        let span = &self.spans[next.saturating_sub(1)];
        (Micros(span.start), Micros(span.end))
    }

    /// The phases as the contract has them.
    pub(super) fn phases(&self) -> impl Iterator<Item = Phase> {
        self.spans.iter().map(|span| Phase {
            name: span.name.clone(),
            start_s: Micros(span.start).secs(),
            end_s: Micros(span.end).secs(),
            play_s: Micros(span.play).secs(),
        })
    }
}

/// `value * to / from`, rounded down, without overflow.
fn scale(value: u64, to: u64, from: u64) -> u64 {
    if from == 0 { 0 } else { (u128::from(value) * u128::from(to) / u128::from(from)) as u64 }
}
