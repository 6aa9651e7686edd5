//! Where an event of a real incident comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The publisher of an event and its name for it. Both together name one event for ever, as `CloudEvents` requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The `source` that the publisher sent.
    pub source: String,
    /// The `id` that the publisher sent.
    pub id: String,
}
