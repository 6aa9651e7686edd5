//! Chance that is not seeded: names, jitter of reconnects and drains.

/// 64 random bits from the operating system.
pub fn bits() -> u64 {
    // Without the system's generator the process has no business serving: but names may still be told apart.
    getrandom::u64().unwrap_or_else(|_| std::process::id().into())
}

/// Uniform in [0, 1).
pub fn unit() -> f64 {
    (bits() >> 11) as f64 / (1_u64 << 53) as f64
}
