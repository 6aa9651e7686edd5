//! Seeded random numbers. Every sequence has a name, so that adding a step or a metric changes no other sequence.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random numbers for one purpose, such as `"fails:restart"` or `"noise:error_rate"`.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(fnv1a(purpose));
        Self(rng)
    }

    /// A random number, uniform in [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A random number, uniform in [-1, 1).
    pub(super) fn signed_uniform(&mut self) -> f64 {
        2.0 * self.uniform() - 1.0
    }

    /// A random number with about a normal distribution: mean 0, deviation 1, within ±3.47. It is the sum of four
    /// uniform numbers (Irwin-Hall), without logarithm or cosine, whose last digits differ between platforms.
    pub(super) fn normal(&mut self) -> f64 {
        const SQRT_3: f64 = 1.732_050_807_568_877_2;
        let sum: f64 = (0..4).map(|_| self.uniform()).sum();
        (sum - 2.0) * SQRT_3
    }
}

/// The FNV-1a hash with 64 bits, which never changes, unlike the standard library's hash.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
