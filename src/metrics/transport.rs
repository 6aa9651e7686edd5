//! How a client is connected.

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `/ws`
    WebSocket,
    /// `/events`
    EventStream,
}

impl Transport {
    /// Its name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "ws",
            Self::EventStream => "sse",
        }
    }
}

/// Something that each transport has.
#[derive(Debug, Default, Clone, Copy)]
pub struct ByTransport<T> {
    /// Of `/ws`.
    pub websocket: T,
    /// Of `/events`.
    pub event_stream: T,
}

impl<T> ByTransport<T> {
    /// Makes one for each transport.
    pub fn new(mut make: impl FnMut(Transport) -> T) -> Self {
        Self { websocket: make(Transport::WebSocket), event_stream: make(Transport::EventStream) }
    }

    /// That of a transport.
    pub fn of(&self, transport: Transport) -> &T {
        match transport {
            Transport::WebSocket => &self.websocket,
            Transport::EventStream => &self.event_stream,
        }
    }

    /// That of a transport, to change it.
    pub fn of_mut(&mut self, transport: Transport) -> &mut T {
        match transport {
            Transport::WebSocket => &mut self.websocket,
            Transport::EventStream => &mut self.event_stream,
        }
    }

    /// The same of both.
    pub fn map<U>(&self, of: impl Fn(&T) -> U) -> ByTransport<U> {
        ByTransport { websocket: of(&self.websocket), event_stream: of(&self.event_stream) }
    }
}
