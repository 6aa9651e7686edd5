//! TLS of the server and of every command that talks to one.

mod authority;
mod commands;
mod distrust;

pub use authority::Authority;

use crate::harness::Serving;

/// A server with a certificate of that authority, and further flags.
fn serving(authority: &Authority, name: &str, args: &[&str]) -> Serving {
    let flags = authority.flags(name);
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(args.iter().copied()).collect();
    Serving::with(&flags)
}
