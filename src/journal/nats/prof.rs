//! x
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
static N: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];
static T: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];
pub(super) fn add(i: usize, d: Duration) {
    T[i].fetch_add(d.as_micros() as u64, Relaxed);
    let n = N[i].fetch_add(1, Relaxed);
    if i == 3 && n % 300 == 299 {
        let names = ["ack", "readback", "wait", "commit", "empty reads", "full reads", "per read", "take"];
        for i in 0..8 { let (n, t) = (N[i].swap(0, Relaxed), T[i].swap(0, Relaxed)); if n > 0 { eprintln!("{}: n {} avg {} us total {} ms", names[i], n, t / n, t / 1000); } }
        eprintln!("--");
    }
}
