//! Plays incidents written as TOML scenarios and streams them live.
#![forbid(unsafe_code)]
pub mod check;
pub mod cli;
pub mod client;
pub mod connection;
pub mod contract;
pub mod dashboard;
pub mod hub;
pub mod journal;
pub mod player;
pub mod random;
pub mod report;
pub mod scenario;
pub mod server;
