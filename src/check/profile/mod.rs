//! Profiles: how a stream of another program is read, and how a client subscribes to it. Only data: the rules that use it
//! are in `foreign/`.

mod described;
mod field_place;
mod keys;
mod read;
mod resume;
mod shipped;
mod subscribe;

pub use described::{Envelope, Profile, Subscribing, TimeFormat};
pub use field_place::FieldPlace;
pub use keys::{KEYS, Key};
pub use resume::{Bookmark, Resume};
pub use shipped::SHIPPED_PROFILES;
pub use subscribe::{WrongHeader, header, subprotocol};
