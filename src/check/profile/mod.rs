//! Profiles: how a stream of another program is read, and how a client subscribes to it. Only data: the rules that use it
//! are in `foreign/`.

mod described;
mod keys;
mod place;
mod read;
mod resume;
mod shipped;
mod subscribe;

pub use described::{Envelope, Profile, Subscribing, TimeFormat};
pub use keys::{KEYS, Key};
pub use place::Place;
pub use resume::{Mark, Resume};
pub use shipped::SHIPPED_PROFILES;
pub use subscribe::{WrongHeader, header, subprotocol};
