//! What an envelope says.

use jiff::Timestamp;

/// The attributes of an envelope. Each is `None` if it is missing or wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) sender: Sender,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) position: Option<u64>,
    pub(super) subject: Option<String>,
    pub(super) index: Option<u64>,
    pub(super) time: Option<Timestamp>,
}

impl Head {
    /// An attribute is wrong, so that its value says nothing.
    pub(super) fn forget(&mut self, pointer: &str) {
        match pointer {
            "/id" => self.position = None,
            "/subject" => self.subject = None,
            "/index" => self.index = None,
            "/time" => self.time = None,
            _ => {}
        }
    }
}

/// Who sent a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Sender {
    /// A stream, with its name: an event.
    Stream(String),
    /// A server: a control message.
    Server,
    /// Somebody else, whose messages are not of this contract.
    #[default]
    Other,
}
