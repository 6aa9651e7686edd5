//! Durations in flags that something waits for.

use crate::scenario::{DurationError, Micros};

const SHORTEST: Micros = Micros(100_000);

/// Why a flag's duration can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FlagError {
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error("it must be at least {SHORTEST}")]
    TooShort,
}

/// Parses a duration of at least 100 ms. A shorter interval or deadline would only keep the server busy.
pub(super) fn at_least_100ms(text: &str) -> Result<Micros, FlagError> {
    let duration: Micros = text.parse()?;
    if duration < SHORTEST { Err(FlagError::TooShort) } else { Ok(duration) }
}
