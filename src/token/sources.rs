//! The sources under which a token may publish.

use std::sync::Arc;

/// Patterns of sources, in which `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(Arc<[String]>);

impl Sources {
    /// Sources that match one of these patterns.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        Self(patterns.into_iter().collect())
    }

    /// Whether a source matches one of the patterns.
    pub fn allow(&self, source: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, source))
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(place) = left.find(part) else { return false };
        left = &left[place + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, source, allowed) in [
            ("/pay/*", "/pay/api", true),
            ("/pay/*", "/pay/", true),
            ("/pay/*", "/payment", false),
            ("/pay", "/pay/api", false),
            ("*", "", true),
            ("*/api", "/pay/api", true),
            ("/a*b*c", "/abc", true),
            ("/a*b*c", "/acb", false),
            ("/aa*a", "/aa", false),
        ] {
            assert_eq!(Sources::new([pattern.to_owned()]).allow(source), allowed, "{pattern} {source}");
        }
    }
}
