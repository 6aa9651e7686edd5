//! Tokens: the secrets that give access to a server, and the files that hold them.

mod digest;
mod file;
mod scope;
mod secret;
mod sources;

pub use digest::Digest;
pub use file::{FileError, Mistake, for_client, for_receiver, for_server};
pub use scope::Scope;
pub use secret::{Token, TokenError};
pub use sources::Sources;
