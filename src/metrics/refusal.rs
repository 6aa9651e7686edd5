//! Why a request was refused.

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The server has reached its limit of clients.
    Full,
    /// The server makes or sends as many large answers, or has as many connections, as it can at a time.
    Busy,
    /// The server has reached its limit of open incidents.
    Incidents,
    /// The `Host` header does not name this server.
    Host,
    /// The request comes from a page of an origin that is not allowed.
    Origin,
    /// The position to resume after is malformed.
    Position,
    /// The request is not a WebSocket handshake.
    Handshake,
    /// Its address has opened too many connections per second.
    Rate,
    /// The server is stopping.
    Stopping,
    /// It has no token or session, or one that the server does not know.
    Token,
    /// Its token or session allows reading only.
    Scope,
    /// Its address has sent too many wrong tokens.
    Attempts,
}

impl Refusal {
    pub(super) const ALL: [Self; 12] = [
        Self::Full,
        Self::Busy,
        Self::Incidents,
        Self::Host,
        Self::Origin,
        Self::Position,
        Self::Handshake,
        Self::Rate,
        Self::Stopping,
        Self::Token,
        Self::Scope,
        Self::Attempts,
    ];

    /// Its name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Incidents => "incidents",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Position => "position",
            Self::Handshake => "handshake",
            Self::Rate => "rate",
            Self::Stopping => "stopping",
            Self::Token => "token",
            Self::Scope => "scope",
            Self::Attempts => "attempts",
        }
    }
}
