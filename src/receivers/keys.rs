//! The keys of `receivers.toml`.

/// The keys of a receiver.
pub const RECEIVER_KEYS: &[&str] = &[
    "name",
    "kind",
    "token_file",
    "hmac_secret_file",
    "hmac_header",
    "hmac_timestamp_header",
    "group_by",
    "settle",
    "reopen",
    "stale",
    "title",
    "severity",
    "services",
    "cost",
    "drop",
    "drills",
    "metrics",
];

/// Those whose values are not secret.
pub(super) const HARMLESS: &[&str] = &[
    "name",
    "kind",
    "hmac_header",
    "hmac_timestamp_header",
    "group_by",
    "settle",
    "reopen",
    "stale",
    "title",
    "severity",
    "services",
    "cost",
    "drop",
    "drills",
    "metrics",
];

pub(super) const SEVERITY: &[&str] = &["label", "map", "default"];
pub(super) const SERVICES: &[&str] = &["labels"];
pub(super) const COST: &[&str] = &["match", "currency", "per_minute"];
pub(super) const DROP: &[&str] = &["match"];
