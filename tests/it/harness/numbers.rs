//! What `/metrics` says, read as Prometheus reads it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{get, ms, soon};

/// Every sample by its name and labels as they are written: `incident_clients{transport="ws"}`.
#[derive(Debug, Clone)]
pub struct Numbers {
    pub text: String,
    samples: BTreeMap<String, f64>,
}

impl Numbers {
    pub async fn of(address: SocketAddr) -> Self {
        let reply = get(address, "/metrics").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        Self::read(reply.body)
    }

    pub fn read(text: String) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line:?}"));
            (name.to_owned(), value.parse().unwrap_or_else(|error| panic!("{error}: {line:?}")))
        });
        Self { samples: samples.collect(), text }
    }

    /// Waits until a sample has a value: what a client has seen is counted a moment later.
    pub async fn until(address: SocketAddr, sample: &str, value: f64) -> Self {
        Self::when(address, sample, &format!("{value}"), |found| found.to_bits() == value.to_bits()).await
    }

    /// Waits until a sample has at least this value.
    pub async fn at_least(address: SocketAddr, sample: &str, value: f64) -> Self {
        Self::when(address, sample, &format!("at least {value}"), |found| found >= value).await
    }

    async fn when(address: SocketAddr, sample: &str, what: &str, is: impl Fn(f64) -> bool) -> Self {
        let waiting = async {
            loop {
                let numbers = Self::of(address).await;
                if is(numbers.get(sample)) {
                    return numbers;
                }
                tokio::time::sleep(ms(5)).await;
            }
        };
        soon(&format!("{sample} {what}"), waiting).await
    }

    pub fn get(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("{sample} is not in\n{}", self.text))
    }

    /// Asserts whole numbers.
    pub fn are(&self, expected: &[(&str, u64)]) {
        for (sample, value) in expected {
            assert!((self.get(sample) - *value as f64).abs() < 1e-9, "{sample} is {}", self.get(sample));
        }
    }

    /// The names of a metric's labels, as in `code, transport`.
    pub fn labels(&self, name: &str) -> String {
        let sample = self.samples.keys().find_map(|sample| sample.strip_prefix(&format!("{name}{{")));
        let labels = sample.unwrap_or_default().split(',').filter_map(|label| label.split_once('='));
        labels.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }

    /// Name, type and help of every metric, in order.
    pub fn described(&self) -> Vec<(String, String, String)> {
        let mut described = Vec::new();
        let mut help = ("", "");
        for line in self.text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                help = rest.split_once(' ').unwrap();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(help.0, name, "every type comes behind its help");
                described.push((name.to_owned(), kind.to_owned(), help.1.to_owned()));
            }
        }
        described
    }
}
