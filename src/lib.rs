//! Plays incidents written as TOML scenarios and streams them live.
#![forbid(unsafe_code)]
pub mod contract;
pub mod report;
pub mod scenario;
pub mod journal;
pub mod connection;
pub mod hub;
pub mod player;
pub mod random;
pub mod dashboard;
pub mod server;
