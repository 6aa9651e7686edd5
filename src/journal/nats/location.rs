//! The location of a journal on NATS: `nats://HOST:PORT[,HOST:PORT…]?stream=NAME&durability=always&…`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::journal::choice::is_address;

/// The port of a NATS server that is named without one.
const PORT: u16 = 4222;

/// The most servers that replicate a stream.
const MOST_REPLICAS: u8 = 5;

/// What the operator says of the servers' disks. A client can't read it from the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// Every server has `sync_interval: always`: what is acknowledged is on disk.
    Always,
    /// It has not: if all servers lose power at once, acknowledged events may be gone.
    Replicas,
}

/// A journal on NATS, as `--journal` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// `HOST:PORT`, at least one.
    pub(super) servers: Vec<String>,
    /// Whether the connection has to be encrypted.
    pub(super) tls: bool,
    /// The name of the stream.
    pub(super) stream: String,
    /// On how many servers a new stream is stored, and an old one has to be.
    pub(super) replicas: Option<u8>,
    /// Whether a stream that is not there is created.
    pub(super) create: bool,
    pub(super) durability: Durability,
    /// Certificates of authorities that sign the servers' certificates.
    pub(super) ca: Option<PathBuf>,
    /// The client's certificate and its key.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
    /// A file with a JWT and its key.
    pub(super) creds: Option<PathBuf>,
    /// A file with the seed of an nkey.
    pub(super) nkey: Option<PathBuf>,
}

/// Whether a location names a journal on NATS. Other addresses are refused when they are read.
pub(in crate::journal) fn claims(location: &Path) -> bool {
    is_address(location)
}

/// A location as it may be shown: without user, password and settings.
pub(super) fn without_secrets(location: &Path) -> PathBuf {
    let text = location.to_string_lossy();
    let Some((scheme, rest)) = text.split_once("://") else {
        return format!("{}:…", text.split(':').next().unwrap_or_default()).into();
    };
    let (hosts, query) = rest.split_once('?').unwrap_or((rest, ""));
    if query.contains('@') {
        // The question mark may be one of a password.
        return format!("{scheme}://…").into();
    }
    // Each server may have its own.
    let hosts = hosts.split(',').map(|server| server.rsplit('@').next().unwrap_or_default());
    format!("{scheme}://{}", hosts.collect::<Vec<_>>().join(",")).into()
}

/// A location for people, which two streams of one server do not share.
pub(in crate::journal) fn described(location: &Path) -> String {
    match Location::parse(location) {
        Ok(read) => read.described(),
        Err(_) => without_secrets(location).display().to_string(),
    }
}

impl Location {
    /// Reads a location.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub(super) fn parse(location: &Path) -> Result<Self, String> {
        let text = location.to_str().ok_or("the location is not UTF-8")?;
        let (scheme, rest) =
            text.split_once("://").unwrap_or((text.split(':').next().unwrap_or_default(), ""));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "nats" if text.contains("://") => false,
            "tls" if text.contains("://") => true,
            _ => {
                return Err(format!(
                    "this is no address of a journal: write nats://HOST:PORT or tls://HOST:PORT for one on NATS, memory, or \
                      ./{scheme}:… for a file of that name"
                ));
            }
        };
        let (hosts, query) = rest.split_once('?').unwrap_or((rest, ""));
        let is_login = |setting: &str| setting.split('=').next().is_some_and(|name| name.contains('@'));
        if hosts.contains('@') || query.split('&').any(is_login) {
            return Err(
                "user and password don't belong into the location, which every user of the machine can \
                        read: name a file with creds=FILE or nkey=FILE"
                    .to_owned(),
            );
        }
        let servers = hosts.trim_end_matches('/').split(',').map(server).collect::<Result<Vec<_>, _>>()?;
        let mut found = Self {
            servers,
            tls,
            stream: "incident".to_owned(),
            replicas: None,
            create: false,
            durability: Durability::Always,
            ca: None,
            certificate: None,
            creds: None,
            nkey: None,
        };
        let (mut durability, mut certificate, mut key) = (None, None, None);
        let mut given = HashSet::new();
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            let one_of = |known: &str| Err(format!("{name}={value}: it is one of {known}"));
            if !given.insert(name) {
                return Err(format!("{name} is given more than once: give each setting once"));
            }
            match name {
                "stream" => found.stream = stream(value)?,
                "replicas" => {
                    let replicas = value.parse().ok().filter(|many| (1..=MOST_REPLICAS).contains(many));
                    let wrong = || format!("replicas={value}: it is a number from 1 to {MOST_REPLICAS}");
                    found.replicas = Some(replicas.ok_or_else(wrong)?);
                }
                "create" => match value {
                    "1" => found.create = true,
                    "0" => found.create = false,
                    _ => return one_of("0 and 1"),
                },
                "durability" => match value {
                    "always" => durability = Some(Durability::Always),
                    "replicas" => durability = Some(Durability::Replicas),
                    _ => return one_of("always and replicas"),
                },
                "tls" => match value {
                    "required" => found.tls = true,
                    _ => return one_of("required"),
                },
                "ca" => found.ca = Some(PathBuf::from(value)),
                "cert" => certificate = Some(PathBuf::from(value)),
                "key" => key = Some(PathBuf::from(value)),
                "creds" => found.creds = Some(PathBuf::from(value)),
                "nkey" => found.nkey = Some(PathBuf::from(value)),
                _ => {
                    return Err(format!(
                        "{name} is no setting of a journal on NATS: stream, replicas, create, durability, tls, ca, \
                         cert, key, creds and nkey are"
                    ));
                }
            }
        }
        found.durability = durability.ok_or(
            "durability is not stated, and a client can't read it from the servers: add durability=always if every \
             nats-server has `sync_interval: always`, or durability=replicas if acknowledged events may be lost when \
             all servers lose power at once",
        )?;
        found.certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err("cert=FILE and key=FILE belong together".to_owned()),
        };
        // What is only used for an encrypted connection asks for one.
        found.tls |= found.ca.is_some() || found.certificate.is_some();
        if found.creds.is_some() && found.nkey.is_some() {
            return Err("creds=FILE and nkey=FILE are two ways to log in: name one".to_owned());
        }
        Ok(found)
    }

    /// The location without its settings, for logs.
    pub(super) fn described(&self) -> String {
        let scheme = if self.tls { "tls" } else { "nats" };
        format!("{scheme}://{}, stream {}", self.servers.join(","), self.stream)
    }
}

/// A server with its port.
fn server(text: &str) -> Result<String, String> {
    let has_port = text.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let full = if has_port { text.to_owned() } else { format!("{text}:{PORT}") };
    let valid = full.rsplit_once(':').is_some_and(|(host, port)| {
        let is_bare = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
        let is_word = !host.contains(|c: char| c.is_whitespace() || c == '/');
        !host.is_empty() && is_bare && is_word && port.parse::<u16>().is_ok()
    });
    if valid { Ok(full) } else { Err(format!("{text:?} is no server: write HOST:PORT")) }
}

/// The name of a stream, which is a part of its subjects.
fn stream(text: &str) -> Result<String, String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(is_word) {
        return Err(format!("stream={text}: a name has letters, digits, - and _, and at most 64 of them"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_as_it_is_written() {
        let text =
            "nats://a:1,[::1]:2,c?stream=war-room&replicas=3&create=1&durability=replicas&creds=/etc/a b";
        let read = Location::parse(Path::new(text));
        let wanted = Location {
            servers: vec!["a:1".to_owned(), "[::1]:2".to_owned(), "c:4222".to_owned()],
            tls: false,
            stream: "war-room".to_owned(),
            replicas: Some(3),
            create: true,
            durability: Durability::Replicas,
            ca: None,
            certificate: None,
            creds: Some("/etc/a b".into()),
            nkey: None,
        };
        assert_eq!(read, Ok(wanted));
        for mixed in ["TLS://a?durability=always", "Tls://a?durability=always"] {
            assert!(Location::parse(Path::new(mixed)).is_ok_and(|read| read.tls), "{mixed}");
        }
        let shortest = Location::parse(Path::new("tls://a?durability=always"));
        let shortest = shortest.map(|read| (read.described(), read.tls, read.create, read.replicas));
        assert_eq!(shortest, Ok(("tls://a:4222, stream incident".to_owned(), true, false, None)));
        for encrypted in ["ca=/etc/ca.pem", "cert=a&key=b", "tls=required"] {
            let location = format!("nats://a?durability=always&{encrypted}");
            let read = Location::parse(Path::new(&location));
            assert!(read.is_ok_and(|read| read.tls), "{encrypted}");
        }
    }

    #[test]
    fn a_refused_location_is_shown_without_its_secrets() {
        for (secret, shown) in [
            ("nats://user:pw@a:1,b:2,me:pw@c?stream=x&password=pw", "nats://a:1,b:2,c"),
            ("tls://user:p?w@a:1", "tls://…"),
            ("nats://a:1", "nats://a:1"),
            ("nats:user:pw@a", "nats:…"),
        ] {
            assert_eq!(without_secrets(Path::new(secret)), Path::new(shown));
        }
    }

    #[test]
    fn what_is_wrong_with_a_location_is_said() {
        for (wrong, named) in [
            ("nats://a:1", "durability"),
            ("nats://?durability=always", "HOST:PORT"),
            ("nats://a:x?durability=always", "HOST:PORT"),
            ("nats://user:password@a:1?durability=always", "creds=FILE"),
            ("nats://user:pass?word@a:1?durability=always", "creds=FILE"),
            ("nats://a?durability=perhaps", "always and replicas"),
            ("nats://a?durability=always&replicas=0", "1 to 5"),
            ("nats://a?durability=always&stream=a.b", "letters"),
            ("nats://a?durability=always&create=yes", "0 and 1"),
            ("nats://a?durability=always&cert=x", "belong together"),
            ("nats://a?durability=always&creds=x&nkey=y", "name one"),
            ("nats://a?durability=always&stram=x", "stram"),
            ("nats://a?durability=always&stream=a&stream=b", "stream is given more than once"),
            ("nat://a?durability=always", "write nats://HOST:PORT"),
            (" nats://a?durability=always", "write nats://HOST:PORT"),
            ("nats:/127.0.0.1", "write nats://HOST:PORT"),
            ("nats+tls://a", "tls://HOST:PORT"),
            ("file://x.db", "./file:"),
        ] {
            let read = Location::parse(Path::new(wrong));
            assert!(matches!(&read, Err(why) if why.contains(named)), "{wrong}: {read:?}");
        }
    }
}
