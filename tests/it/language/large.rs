//! The large files of `benches/scenario`: they are sound, and have as many steps and samples as the benchmark says.

#[path = "../../../benches/scenario/written.rs"]
mod written;

use incident::contract::MessageType;
use incident::scenario::Scenario;

use written::{Size, toml};

#[test]
fn what_the_benchmark_writes_has_the_steps_samples_and_bytes_that_were_asked_for() {
    for size in ["500,500,0", "1000,20,150000", "10,2000,0", "10000,500,1000000", "10000,90000,0"] {
        let size: Size = size.parse().unwrap();
        assert_eq!(size.argument().parse::<Size>().unwrap().parts(), size.steps + size.samples);
        let text = toml(size);
        let scenario = Scenario::parse("large.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        let plan = scenario.compile(1).unwrap();
        let samples = plan.events().iter().filter(|event| event.kind() == MessageType::SystemMetrics).count();
        assert_eq!(samples as u64, size.samples);
        assert_eq!(plan.events().len() as u64, 2 * size.steps + size.samples + 2);
        if size.bytes > 0 {
            let off = text.len().abs_diff(size.bytes);
            assert!(off * 20 < size.bytes, "{} bytes, not {}", text.len(), size.bytes);
        }
    }
}
