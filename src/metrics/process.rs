//! What the process uses, under the names that all Prometheus clients share. It is read from `/proc`, which only Linux
//! has: elsewhere only the start time is reported. Written by hand, because five numbers do not justify three crates.

use std::fs;
use std::time::SystemTime;

use prometheus::proto::{MetricFamily, MetricType};

use super::family::{counter, family, gauge};
use crate::log_limiter::Why;

/// Clock ticks per second in `/proc/self/stat`: a constant of the kernel's interface, whatever its own tick rate.
const TICKS: f64 = 100.0;

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// All metrics of the process that can be read.
pub(super) fn families(since: f64) -> Vec<MetricFamily> {
    let start =
        gauge("process_start_time_seconds", "Start time of the server, in seconds since 1970.", since);
    let memory = resident_bytes()
        .map(|bytes| gauge("process_resident_memory_bytes", "Resident memory of the process.", bytes));
    let open = fs::read_dir("/proc/self/fd")
        // Reading the folder opens one more.
        .map(|open| gauge("process_open_fds", "Open file descriptors.", open.count() as f64 - 1.0));
    let limit = limit().map(|limit| gauge("process_max_fds", "The limit of open file descriptors.", limit));
    let cpu = cpu_seconds().map(|seconds| {
        counter("process_cpu_seconds_total", "CPU time of the process, user and system.", seconds)
    });
    [Some(start), memory, open.ok(), limit, cpu].into_iter().flatten().collect()
}

/// What the log of the process lacks.
pub(super) fn dropped_lines() -> MetricFamily {
    let labels = Why::ALL.map(|why| [("reason", why.as_str())]);
    let samples: Vec<_> =
        Why::ALL.iter().zip(&labels).map(|(why, labels)| (&labels[..], why.counted() as f64)).collect();
    family(
        MetricType::COUNTER,
        "incident_log_lines_dropped_total",
        "Lines that are not in the log, by reason (limited: one of its kind was logged within ten seconds, unread: nobody reads stderr).",
        &samples,
    )
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kib.trim().trim_end_matches(" kB").parse::<f64>().ok()? * 1024.0)
}

/// `None` if it can't be read or there is no limit.
fn limit() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    soft.split_ascii_whitespace().next()?.parse().ok()
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, which may contain spaces: the fields are counted from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}
