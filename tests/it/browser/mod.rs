//! The page in a real Chromium. These tests need `chromium` and `chromedriver`, which `./tests/run` installs;
//! plain `cargo test` leaves them out.

mod actions;
mod additions;
mod busy;
mod checks;
mod colors;
mod cuts;
pub mod driver;
mod events;
mod evil;
mod headline;
mod login;
mod prefix;
mod real;
mod screenshots;
mod settings;
mod steps;
mod story;
mod strangers;
mod tls;
mod together;
mod twin;
mod unknown;
