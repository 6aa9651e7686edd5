//! How a client asks for the events after the last one that it has.

/// What a client knows of the last event that it has, as texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bookmark {
    /// The sequence number.
    pub sequence: Option<String>,
    /// The id.
    pub id: Option<String>,
    /// The key.
    pub key: Option<String>,
    /// The time.
    pub time: Option<String>,
}

/// How a client asks for the events after the last one that it has: a template with `{sequence}`, `{id}`, `{key}` or
/// `{time}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// In the query of the URL.
    Query(String),
    /// In texts that are sent after connecting, instead of those that subscribe.
    Send(Vec<String>),
    /// In a header, with this name and value.
    Header(String, String),
}

/// The names that a template may have in braces.
pub(super) const NAMES: [&str; 4] = ["sequence", "id", "key", "time"];

impl Bookmark {
    /// How many bytes its texts have.
    pub fn bytes(&self) -> usize {
        let texts = [&self.sequence, &self.id, &self.key, &self.time];
        texts.into_iter().flatten().map(String::len).sum()
    }

    fn value(&self, name: &str) -> Option<&str> {
        match name {
            "sequence" => self.sequence.as_deref(),
            "id" => self.id.as_deref(),
            "key" => self.key.as_deref(),
            "time" => self.time.as_deref(),
            _ => None,
        }
    }
}

impl Resume {
    /// The templates.
    pub(super) fn templates(&self) -> Vec<&str> {
        match self {
            Self::Query(template) | Self::Header(_, template) => vec![template],
            Self::Send(texts) => texts.iter().map(String::as_str).collect(),
        }
    }

    /// Whether the template has this name in braces.
    pub fn uses(&self, name: &str) -> bool {
        let braced = format!("{{{name}}}");
        self.templates().iter().any(|template| template.contains(&braced))
    }

    /// The same without templates: what asks for everything after an event. `None` if the event lacks a field that is needed.
    pub fn filled(&self, bookmark: &Bookmark) -> Option<Self> {
        Some(match self {
            Self::Query(template) => Self::Query(fill(template, bookmark, percent)?),
            Self::Send(texts) => {
                Self::Send(texts.iter().map(|text| fill(text, bookmark, escaped)).collect::<Option<_>>()?)
            }
            Self::Header(name, template) => {
                Self::Header(name.clone(), fill(template, bookmark, str::to_owned)?)
            }
        })
    }
}

fn fill(template: &str, bookmark: &Bookmark, write: impl Fn(&str) -> String) -> Option<String> {
    let mut filled = template.to_owned();
    for name in NAMES {
        let braced = format!("{{{name}}}");
        if filled.contains(&braced) {
            filled = filled.replace(&braced, &write(bookmark.value(name)?));
        }
    }
    Some(filled)
}

/// A value as a query has it.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

/// A value as a JSON text has it between its quotes. A number stays a number.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_their_place_demands() {
        let bookmark = Bookmark {
            id: Some("a \"b\"&c".to_owned()),
            sequence: Some("7".to_owned()),
            ..Bookmark::default()
        };
        let filled = |resume: Resume| resume.filled(&bookmark);
        assert_eq!(
            filled(Resume::Query("after={id}&n={sequence}".to_owned())),
            Some(Resume::Query("after=a%20%22b%22%26c&n=7".to_owned()))
        );
        assert_eq!(
            filled(Resume::Send(vec![r#"{"after":"{id}","n":{sequence}}"#.to_owned()])),
            Some(Resume::Send(vec![r#"{"after":"a \"b\"&c","n":7}"#.to_owned()]))
        );
        assert_eq!(filled(Resume::Query("at={time}".to_owned())), None);
    }
}
