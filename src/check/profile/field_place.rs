//! Where in a message a field is.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

/// Where in a message a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldPlace {
    /// At this JSON pointer (RFC 6901).
    Pointer(String),
    /// In the `id:` of an event stream's event.
    EventId,
    /// In the `event:` of an event stream's event.
    EventName,
}

/// The names of the fields of an event stream.
const OF_EVENTS: [(&str, FieldPlace); 2] =
    [("sse:id", FieldPlace::EventId), ("sse:event", FieldPlace::EventName)];

impl FieldPlace {
    /// Reads a place as a profile writes it.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub(super) fn read(text: &str) -> Result<Self, (String, String)> {
        if let Some((_, place)) = OF_EVENTS.iter().find(|(name, _)| *name == text) {
            return Ok(place.clone());
        }
        pointer(text).map(|()| Self::Pointer(text.to_owned()))
    }

    /// The pointer, as a finding shows it; empty for a field of an event stream.
    pub(in crate::check) fn pointer(&self) -> &str {
        match self {
            Self::Pointer(pointer) => pointer,
            Self::EventId | Self::EventName => "",
        }
    }

    /// The value at the place. `id` and `name` are those of an event stream's event.
    pub(in crate::check) fn value<'a>(
        &self,
        message: &'a Value,
        id: Option<&str>,
        name: Option<&str>,
    ) -> Option<Cow<'a, Value>> {
        let owned = |text: &str| Cow::Owned(Value::String(text.to_owned()));
        match self {
            Self::Pointer(pointer) => {
                message.pointer(pointer).filter(|value| !value.is_null()).map(Cow::Borrowed)
            }
            Self::EventId => id.filter(|id| !id.is_empty()).map(owned),
            // An event without a name has this type (WHATWG HTML, 9.2.6).
            Self::EventName => Some(owned(name.filter(|name| !name.is_empty()).unwrap_or("message"))),
        }
    }
}

impl fmt::Display for FieldPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer(pointer) => f.write_str(pointer),
            Self::EventId => f.write_str("sse:id"),
            Self::EventName => f.write_str("sse:event"),
        }
    }
}

/// Checks a JSON pointer.
///
/// # Errors
/// What is wrong, and what to write.
pub(super) fn pointer(text: &str) -> Result<(), (String, String)> {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    if bare {
        let pointer = format!("/{}", text.replace('.', "/"));
        return Err((format!("{text:?} is not a JSON pointer"), format!("write {pointer:?}")));
    }
    if !text.starts_with('/') {
        let what = if text.is_empty() {
            "an empty pointer names no field".to_owned()
        } else {
            format!("{text:?} is not a JSON pointer")
        };
        return Err((what, "a pointer begins with a slash, as in \"/data/id\"".to_owned()));
    }
    let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if escaped {
        return Ok(());
    }
    Err((format!("{text:?} has a ~ that stands for nothing"), "write ~0 for ~ and ~1 for /".to_owned()))
}
