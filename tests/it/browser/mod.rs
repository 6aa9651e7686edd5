//! The page in a real Chromium. These tests need `chromium` and `chromedriver`, which `./tests/run` installs;
//! plain `cargo test` leaves them out.

mod additions;
mod busy;
mod colors;
mod cuts;
pub mod driver;
mod events;
mod evil;
mod login;
mod prefix;
mod real;
mod screenshots;
mod steps;
mod story;
mod tls;
mod together;
mod twin;
mod unknown;
