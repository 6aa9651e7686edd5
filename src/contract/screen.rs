//! The map between incident time and screen time. The phases define it: each is stretched or shortened evenly to its
//! `play_s`. `dashboard/timemap.js` computes the same map.

use super::incident_started::Phase;

/// The map of one incident. All times are in microseconds, at speed 1. Before the first phase and after the last one
/// both times run equally fast.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScreenMap {
    spans: Vec<ScreenSpan>,
}

/// One phase in incident time and in screen time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenSpan {
    /// Incident time at which the phase starts.
    pub start: u64,
    /// Incident time at which the phase ends.
    pub end: u64,
    /// Screen time at which the phase starts.
    pub screen: u64,
    /// How long the phase takes on screen.
    pub play: u64,
}

impl ScreenMap {
    /// The map of consecutive phases. Each is given as its start, its end and how long it takes on screen.
    pub fn new(phases: impl IntoIterator<Item = (u64, u64, u64)>) -> Self {
        let mut screen: u64 = 0;
        let spans = phases.into_iter().map(|(start, end, play)| {
            let span = ScreenSpan { start, end: end.max(start), screen, play };
            screen = screen.saturating_add(play);
            span
        });
        Self { spans: spans.collect() }
    }

    /// The map of the phases in `incident_started`. A phase without an end lasts until the next one starts and takes as
    /// long on screen; a last phase without an end has no length, and after its start both times run equally fast. Without phases both times
    /// are the same.
    pub fn of(phases: &[Phase]) -> Self {
        let starts = phases.iter().map(|phase| Some(micros(phase.start_s)));
        let next = starts.clone().skip(1).chain([None]);
        Self::new(phases.iter().zip(next).map(|(phase, next)| {
            let start = micros(phase.start_s);
            let end = phase.end_s.map(micros).or(next).unwrap_or(start).max(start);
            (start, end, phase.end_s.and(phase.play_s).map_or(end - start, micros))
        }))
    }

    /// The phases.
    pub fn spans(&self) -> &[ScreenSpan] {
        &self.spans
    }

    /// The screen time of an incident time.
    pub fn screen(&self, incident: u64) -> u64 {
        let next = self.spans.partition_point(|span| span.start <= incident);
        let Some(span) = self.spans.get(next.saturating_sub(1)) else { return incident };
        let into = incident.saturating_sub(span.start);
        let length = span.end - span.start;
        let within = match into.checked_sub(length) {
            // After the last phase.
            Some(beyond) if next >= self.spans.len() => span.play.saturating_add(beyond),
            // In a gap between two phases, which takes no time on screen.
            Some(_) => span.play,
            None => scale(into, span.play, length),
        };
        span.screen.saturating_add(within)
    }

    /// The incident time of a screen time.
    pub fn incident(&self, screen: u64) -> u64 {
        let next = self.spans.partition_point(|span| span.screen <= screen);
        let Some(span) = self.spans.get(next.saturating_sub(1)) else { return screen };
        let into = screen.saturating_sub(span.screen);
        match into.checked_sub(span.play) {
            Some(beyond) => span.end.saturating_add(beyond),
            None => span.start.saturating_add(scale(into, span.end - span.start, span.play)),
        }
    }

    /// How long all phases together take on screen.
    pub fn duration(&self) -> u64 {
        self.spans.last().map_or(0, |span| span.screen.saturating_add(span.play))
    }
}

/// Converts seconds to microseconds; negative numbers and not-a-number become 0.
fn micros(secs: f64) -> u64 {
    (secs * 1e6).round() as u64
}

/// `value * to / from`, rounded down, without overflow.
fn scale(value: u64, to: u64, from: u64) -> u64 {
    if from == 0 { 0 } else { (u128::from(value) * u128::from(to) / u128::from(from)) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(start_s: f64, end_s: Option<f64>, play_s: Option<f64>) -> Phase {
        Phase { name: format!("from {start_s}"), start_s, end_s, play_s }
    }

    #[test]
    fn a_gap_between_two_phases_takes_no_time_on_screen() {
        let map = ScreenMap::of(&[phase(0.0, Some(10.0), Some(5.0)), phase(60.0, Some(70.0), Some(5.0))]);
        assert_eq!(map.screen(9_000_000), 4_500_000);
        assert_eq!(map.screen(50_000_000), 5_000_000, "never beyond the start of the next phase");
        assert_eq!(map.screen(60_000_000), 5_000_000);
        assert_eq!(map.screen(75_000_000), 15_000_000, "after the last phase both times run equally fast");
    }

    #[test]
    fn a_phase_without_an_end_takes_as_long_on_screen_as_in_the_incident() {
        let map = ScreenMap::of(&[phase(0.0, None, Some(5.0)), phase(60.0, None, None)]);
        assert_eq!(map.screen(30_000_000), 30_000_000);
        assert_eq!(map.incident(30_000_000), 30_000_000);
    }
}
