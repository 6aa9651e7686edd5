//! What the process costs, under the names that every Prometheus client has. From `/proc`, which is Linux's: elsewhere
//! only the start is told. By hand: five numbers are no reason for three crates.

use std::fs;
use std::time::SystemTime;

use prometheus::proto::MetricFamily;

use super::family::{counter, gauge};

/// Clock ticks a second in `/proc/self/stat`. Fixed in the kernel's interface, whatever the kernel ticks at.
const TICKS: f64 = 100.0;

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Whatever can be known.
pub(super) fn families(since: f64) -> Vec<MetricFamily> {
    let start = gauge("process_start_time_seconds", "When the server came up, in seconds since 1970.", since);
    let memory = resident_bytes().map(|bytes| {
        gauge("process_resident_memory_bytes", "Memory of the process that is not swapped out.", bytes)
    });
    let open = fs::read_dir("/proc/self/fd")
        // Reading the folder takes one too.
        .map(|open| gauge("process_open_fds", "Open file descriptors.", open.count() as f64 - 1.0));
    let limit = limit().map(|limit| gauge("process_max_fds", "The most file descriptors at once.", limit));
    let cpu = cpu_seconds().map(|seconds| {
        counter("process_cpu_seconds_total", "Processor time of the process, user and system.", seconds)
    });
    [Some(start), memory, open.ok(), limit, cpu].into_iter().flatten().collect()
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kib.trim().trim_end_matches(" kB").parse::<f64>().ok()? * 1024.0)
}

/// `None` as well if there is no limit.
fn limit() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    soft.split_ascii_whitespace().next()?.parse().ok()
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, which may have anything in it: the fields are counted from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}
