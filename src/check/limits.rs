//! The limits of the rules: `--limit latency.p99=50ms`.

use std::time::Duration;

/// How late, how silent and how far off a stream may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// `pacing.late`: how late after its due time an event may arrive.
    pub late: Duration,
    /// `silence.longest`: the longest silence in an open incident; `None` takes `max_silence` of `[expect]`.
    pub silence: Option<Duration>,
    /// `heartbeat.intervals`: how many heartbeat intervals may pass without a message.
    pub intervals: f64,
    /// `latency.p50`, `.p95`, `.p99` and `.max`: from an event's `time` to its arrival, for this share of the events.
    pub latency: Vec<(f64, Duration)>,
    /// `clock.skew`: how far `time` may be from the local clock at the arrival; `None` does not compare them.
    pub skew: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            late: Duration::from_millis(250),
            silence: None,
            intervals: 2.5,
            latency: Vec::new(),
            skew: None,
        }
    }
}

impl Limits {
    /// The names of all limits, with their meaning and default.
    pub const ALL: &[(&str, &str, &str)] = &[
        ("pacing.late", "how late after its due time an event may arrive", "250ms"),
        ("silence.longest", "the longest silence in an open incident", "max_silence of [expect]"),
        ("heartbeat.intervals", "how many heartbeat intervals may pass without a message", "2.5"),
        ("latency.p50", "from `time` to the arrival, for half of the live events", "none"),
        ("latency.p95", "the same for 95 of 100", "none"),
        ("latency.p99", "the same for 99 of 100", "none"),
        ("latency.max", "the same for all", "none"),
        ("clock.skew", "how far `time` may be from the local clock at the arrival", "none"),
    ];

    /// Sets one limit from `NAME=VALUE`.
    ///
    /// # Errors
    /// There is no limit of that name, or the value is no duration (a number for `heartbeat.intervals`).
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once('=').ok_or("a limit is NAME=VALUE, as in latency.p99=50ms")?;
        let time = || {
            let micros: crate::scenario::Micros =
                value.parse().map_err(|error| format!("{name} is a duration such as 50ms or 2s: {error}"))?;
            Ok::<_, String>(Duration::from(micros))
        };
        match name {
            "pacing.late" => self.late = time()?,
            "silence.longest" => self.silence = Some(time()?),
            "clock.skew" => self.skew = Some(time()?),
            "heartbeat.intervals" => {
                self.intervals = value
                    .parse()
                    .ok()
                    .filter(|intervals: &f64| intervals.is_finite() && *intervals >= 1.0)
                    .ok_or_else(|| format!("{name} is a number of at least 1, not {value:?}"))?;
            }
            "latency.p50" => self.latency.push((0.5, time()?)),
            "latency.p95" => self.latency.push((0.95, time()?)),
            "latency.p99" => self.latency.push((0.99, time()?)),
            "latency.max" => self.latency.push((1.0, time()?)),
            _ => {
                let names: Vec<&str> = Self::ALL.iter().map(|(name, _, _)| *name).collect();
                return Err(format!("there is no limit {name:?}; there are {}", names.join(", ")));
            }
        }
        Ok(())
    }
}
