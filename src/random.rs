//! Random numbers without a seed, for names and for spreading reconnects.

/// 64 random bits from the operating system.
pub fn bits() -> u64 {
    // If the operating system has no random numbers, the process id still differs between processes.
    getrandom::u64().unwrap_or_else(|_| std::process::id().into())
}

/// A random number, uniform in [0, 1).
pub fn unit() -> f64 {
    (bits() >> 11) as f64 / (1_u64 << 53) as f64
}
