//! Scenarios of any size, written as an author would write them.

use std::fmt::Write;
use std::str::FromStr;

/// How many steps, how many samples of the metrics, and at least how many bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) steps: u64,
    pub(crate) samples: u64,
    pub(crate) bytes: usize,
}

impl Size {
    /// What the time to compile should grow with.
    pub(crate) fn parts(self) -> u64 {
        self.steps + self.samples
    }

    /// As [`Size::from_str`] reads it.
    pub(crate) fn argument(self) -> String {
        format!("{},{},{}", self.steps, self.samples, self.bytes)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u64>, _> = text.split(',').map(str::parse).collect();
        match numbers.as_deref() {
            Ok([steps, samples, bytes]) => {
                Ok(Self { steps: *steps, samples: *samples, bytes: *bytes as usize })
            }
            _ => Err("write STEPS,SAMPLES,BYTES".to_owned()),
        }
    }
}

/// Every step takes a second and follows the one before it in its chain of ten. Summaries are as long as the file has to be.
pub(crate) fn toml(size: Size) -> String {
    let seconds = size.steps * 2 + 60;
    let every = (seconds * 1_000).div_ceil(size.samples.saturating_sub(1).max(1)).max(100);
    // Sampling is on screen: the phase plays for as long as the samples take.
    let play = every * (size.samples.saturating_sub(1).max(1));
    let mut text = format!(
        "id = \"large\"\ntitle = \"Large\"\nseverity = \"SEV2\"\nservices = [\"shop\"]\ntarget = \"{seconds}s\"\n\
         metrics_every = \"{every}ms\"\nagents = {{ w = \"Watches\", f = \"Mends\" }}\n\
         [[phases]]\nname = \"all\"\nat = \"0s\"\nplay = \"{play}ms\"\n\
         [metrics]\nerrors = {{ unit = \"ratio\", noise = 0.02, keys = {{ 0s = 0.01, 30s = 0.4, 60s = 0.02 }} }}\n\
         latency = {{ unit = \"ms\", noise = 0.05, keys = {{ 0s = 180, 30s = 4200 }} }}\n\
         [impact]\nusers = {{ 0s = 0, 30s = 48000 }}\ncost = {{ currency = \"USD\", per_minute = {{ all = 900 }} }}\n\
         [[hypotheses]]\nid = \"cache\"\nclaim = \"The cache is empty\"\ntruth = true\nbelief = {{ 5s = 0.2, 50s = 0.9 }}\n"
    );
    let plain = step(1, "");
    let long = size.bytes.saturating_sub(text.len()) / size.steps.max(1) as usize;
    let summary = "x".repeat(long.saturating_sub(plain.len()));
    for number in 0..size.steps {
        text += &step(number, &summary);
    }
    // Writing to a String cannot fail.
    let _ = write!(text, "[resolution]\nat = \"{seconds}s\"\nsummary = \"Over\"\nroot_cause = \"cache\"\n");
    text
}

fn step(number: u64, summary: &str) -> String {
    let when = if number.is_multiple_of(10) {
        format!("at = \"{}s\"", number * 2)
    } else {
        format!("after = \"s{}\"", number - 1)
    };
    let agent = if number.is_multiple_of(2) { "w" } else { "f" };
    format!(
        "[[steps]]\nid = \"s{number}\"\n{when}\nagent = \"{agent}\"\naction = \"look\"\nsummary = \"L{summary}\"\ntakes = \"1s\"\n"
    )
}
