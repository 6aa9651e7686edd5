//! What a client says to get a stream.

use hyper::header::{HeaderName, HeaderValue};

/// What a client says to get a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// What is added to the query of the URL.
    pub query: Option<String>,
    /// Further headers of the request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Subprotocols of a WebSocket, which the server must choose from.
    pub subprotocols: Vec<String>,
    /// Texts that are sent on a WebSocket once it is open.
    pub send: Vec<String>,
}

impl Subscription {
    /// Adds to the query.
    pub fn add_query(&mut self, more: &str) {
        self.query = Some(match self.query.take() {
            Some(query) => format!("{query}&{more}"),
            None => more.to_owned(),
        });
    }
}
