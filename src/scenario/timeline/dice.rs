//! Seeded chance. Every draw has a name, so that adding a step or a metric changes no other draw.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws for one purpose, as `"fails:restart"` or `"noise:error_rate"`.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(fnv1a(purpose));
        Self(rng)
    }

    /// Uniform in [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [-1, 1).
    pub(super) fn either_way(&mut self) -> f64 {
        2.0 * self.uniform() - 1.0
    }

    /// About normal, mean 0, deviation 1, within ±3.47: four uniform draws summed (Irwin-Hall). No logarithm
    /// or cosine, whose last digits differ between platforms.
    pub(super) fn normal(&mut self) -> f64 {
        const SQRT_3: f64 = 1.732_050_807_568_877_2;
        let sum: f64 = (0..4).map(|_| self.uniform()).sum();
        (sum - 2.0) * SQRT_3
    }
}

/// FNV-1a, 64 bits: stable for ever, unlike the standard library's hasher.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
