//! Access: which pages may use the server (the guard), and which requests may do what (tokens and sessions).

mod asked;
mod auth;
mod cleaning;
mod credentials;
mod exchange;
mod grant;
mod guard;
mod keyring;
mod login;
mod need;
mod noted;
mod sessions;
mod share;
mod strangers;
mod throttle;

pub use auth::Auth;
pub(super) use auth::authenticate;
pub(super) use guard::Guard;
pub use keyring::Replaced;
pub(super) use login::{login, login_page, logout, session};
pub(super) use share::Share;
