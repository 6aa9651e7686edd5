//! The path below which a proxy publishes the server.

use std::fmt;
use std::str::FromStr;

/// `/incident`: without a slash at its end, so that a path of the server can follow; empty for a whole host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// The text is not a base path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BasePathError {
    /// It is not a path, or has other characters.
    #[error(
        "a base path begins with / and has only letters, digits, -, _, . and ~ between slashes, as in /incident"
    )]
    Written,
    /// A proxy may remove the base path from requests or leave it, and nobody could tell which it has done.
    #[error(
        "a base path can't begin with /{0}, as paths of the server itself do: behind a proxy that removes the base path \
         the server would take such a path for one with the base path; name another, as in /incident"
    )]
    Own(String),
}

/// With these the paths of the server itself begin, besides those of the page's files.
const OWN: [&str; 13] = [
    "api",
    "asyncapi.json",
    "events",
    "healthz",
    "hooks",
    "login",
    "logout",
    "metrics",
    "panels",
    "problems",
    "readyz",
    "schema.json",
    "ws",
];

/// With these the names of the page's files end.
const FILES: [&str; 4] = [".css", ".html", ".js", ".svg"];

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let path = Self::published(text)?;
        let first = path.0.split('/').nth(1).unwrap_or_default();
        if OWN.contains(&first) || FILES.iter().any(|end| first.ends_with(end)) {
            return Err(BasePathError::Own(first.to_owned()));
        }
        Ok(path)
    }
}

impl BasePath {
    /// The path of any server, which may be known to its proxy alone. One slash at the end is ignored; `/` is a whole host.
    pub(super) fn published(text: &str) -> Result<Self, BasePathError> {
        let path = text.strip_suffix('/').unwrap_or(text);
        // The path goes into headers, a cookie's attributes and links: nothing in it may need quoting there.
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        let segment = |segment: &str| {
            !matches!(segment, "" | "." | "..") && segment.len() <= 200 && segment.bytes().all(plain)
        };
        let rest = path.strip_prefix('/');
        match rest {
            None if text == "/" => Ok(Self::default()),
            Some(rest) if rest.split('/').all(segment) && rest.len() <= 1000 => Ok(Self(path.to_owned())),
            _ => Err(BasePathError::Written),
        }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BasePath {
    /// Whether the server has the whole host.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What follows it in a path: nothing, or a path of the server.
    pub(super) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.0).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_the_server_is_forgotten() {
        let routes: Vec<&str> = include_str!("routes.rs").split(".route(\"/").skip(1).collect();
        assert!(routes.len() > 20, "{routes:?}");
        for route in routes {
            let first = route.split(['/', '"']).next().unwrap_or_default();
            assert_eq!(
                format!("/{first}/x").parse::<BasePath>(),
                Err(BasePathError::Own(first.to_owned())),
                "{first}"
            );
        }
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard")).expect("the page") {
            let name = file.expect("a file").file_name().to_string_lossy().into_owned();
            assert!(format!("/{name}").parse::<BasePath>().is_err(), "{name}");
        }
        assert!("/apis".parse::<BasePath>().is_ok() && "/a/api".parse::<BasePath>().is_ok());
    }
}
