//! What a server that starts anew hands to the process that it becomes: its command line without what was asked for once, and
//! what was read of pipes, which have nothing more to read.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use crate::cli::reread;
use crate::input_file::{self, Kind, kind};

/// What was asked for once, at the start, and whether the flag has a value. The line of `--json` is for who has started the
/// server, and may have left.
const ONCE: [(&str, bool); 3] = [("--trigger", true), ("--open", false), ("--json", false)];

const REPLAY: &str = "--replay";

/// The variable with a pipe that has the tokens which a server accepted when it started anew. They count if the file has a mistake
/// at that moment.
pub(super) const TOKENS: &str = "INCIDENT_TOKENS_BEFORE";

/// The most bytes of it, as of a token file.
const TOKENS_BYTES: u64 = 64 * 1024;

/// The tokens that the server accepted which this process goes on for, as they were in their file. Nothing is left in the pipe then, which
/// stays open.
pub(super) fn tokens_before() -> Option<String> {
    let path = std::env::var(TOKENS).ok().filter(|path| path.starts_with("/dev/fd/"))?;
    if !is_pipe(Path::new(&path)) {
        return None;
    }
    let file = File::open(path).ok()?;
    String::from_utf8(input_file::contents(file, TOKENS_BYTES).ok()?).ok()
}

/// The flags with files that may be pipes, which are read at the start.
const FILES: [&str; 5] = ["--token-file", "--tls-cert", "--tls-key", "--receivers", "--sinks"];

/// A flag, or a word that is none of those that matter here.
struct Word {
    /// As it was given: one word, or two.
    given: Vec<OsString>,
    name: String,
    value: Option<String>,
}

/// How the new command line differs, apart from what was asked for once.
pub(super) struct Changes<'a> {
    /// Whether the replay goes on.
    pub(super) replays: bool,
    /// The port that the server has: clients come back to it.
    pub(super) port: Option<u16>,
    pub(super) pipes: &'a [Pipe],
}

/// The arguments of the new process.
pub(super) fn arguments(given: impl Iterator<Item = OsString>, changes: &Changes) -> Vec<OsString> {
    let mut arguments = Vec::new();
    for word in words(given) {
        let is_once = ONCE.iter().any(|(name, _)| *name == word.name);
        if is_once || (word.name == REPLAY && !changes.replays) {
            continue;
        }
        match changed(&word, changes) {
            Some(value) => arguments.extend([word.name.into(), value.into()]),
            None => arguments.extend(word.given),
        }
    }
    arguments
}

/// Why a server with these arguments could not start anew, as long as it runs: what it has read can't be read again. `None` if it
/// can.
pub(super) fn hindrance(given: impl Iterator<Item = OsString>) -> Option<String> {
    let words: Vec<Word> = words(given).collect();
    let mut once = words.iter().flat_map(|word| match (&*word.name, &word.value) {
        ("--scenarios", Some(file)) => vec![file.as_str()],
        ("--journal", Some(location)) => settings(location),
        _ => Vec::new(),
    });
    once.find(|file| is_pipe(Path::new(file))).map(|file| lost(Path::new(file)))
}

/// The same of what is named inside of a file, which may name something else later.
pub(super) fn hindrance_inside(given: impl Iterator<Item = OsString>) -> Option<String> {
    let words: Vec<Word> = words(given).collect();
    let is_given = |path: &Path| {
        let path = path.to_string_lossy();
        words.iter().any(|word| FILES.contains(&&*word.name) && word.value.as_deref() == Some(&*path))
    };
    reread::named_pipes().iter().find(|path| !is_given(path)).map(|path| lost(path))
}

fn lost(file: &Path) -> String {
    format!("{} came through a pipe, which can be read only once", file.display())
}

/// Whether a path leads to a pipe.
pub(super) fn is_pipe(path: &Path) -> bool {
    matches!(kind(path), Ok(Kind::Stream | Kind::Pipe))
}

/// The values in the location of a journal, some of which are files.
fn settings(location: &str) -> Vec<&str> {
    let settings = location.split_once('?').map(|(_, settings)| settings).unwrap_or_default();
    settings.split('&').filter_map(|setting| setting.split_once('=')).map(|(_, value)| value).collect()
}

fn changed(word: &Word, changes: &Changes) -> Option<String> {
    let value = word.value.as_deref()?;
    match &*word.name {
        "--port" | "-p" if value.parse() == Ok(0_u16) => changes.port.map(|port| port.to_string()),
        name if FILES.contains(&name) => changes.pipes.iter().find_map(|pipe| pipe.instead_of(value)),
        _ => None,
    }
}

/// The words of a command line that was parsed without a mistake, flags with values together. No value of a separate word
/// begins as a flag does.
fn words(given: impl Iterator<Item = OsString>) -> impl Iterator<Item = Word> {
    let mut given = given;
    let mut rest = None;
    std::iter::from_fn(move || {
        let first = rest.take().or_else(|| given.next())?;
        let text = first.to_string_lossy().into_owned();
        if let Some((before, port)) = cluster(&text) {
            rest = Some(port.into());
            return Some(Word { given: vec![before.clone().into()], name: before, value: None });
        }
        let short = text.strip_prefix("-p").filter(|rest| !rest.is_empty());
        let (name, value) = match (text.split_once('='), short) {
            (_, Some(rest)) => ("-p", Some(rest.trim_start_matches('='))),
            (Some((name, value)), None) if name.starts_with("--") => (name, Some(value)),
            _ => (&*text, None),
        };
        let (name, mut value) = (name.to_owned(), value.map(str::to_owned));
        let mut given_words = vec![first];
        if value.is_none() && has_value(&name) {
            let next = given.next();
            value = next.as_ref().map(|next| next.to_string_lossy().into_owned());
            given_words.extend(next);
        }
        Some(Word { given: given_words, name, value })
    })
}

/// The short flags without a value and the one with the port, where they are one word, as in `-vp0`.
fn cluster(word: &str) -> Option<(String, String)> {
    let flags = word.strip_prefix('-')?;
    let (before, value) = flags.split_once('p')?;
    let is_cluster = !before.is_empty() && before.bytes().all(|flag| flag.is_ascii_alphabetic());
    is_cluster.then(|| (format!("-{before}"), format!("-p{value}")))
}

fn has_value(name: &str) -> bool {
    ONCE.contains(&(name, true))
        || FILES.contains(&name)
        || [REPLAY, "--port", "-p", "--scenarios", "--journal"].contains(&name)
}

#[cfg(unix)]
pub(super) use pipes::{Pipe, pipes};

#[cfg(unix)]
mod pipes {
    use std::io::{PipeReader, Write};
    use std::os::fd::AsRawFd;
    use std::sync::mpsc;
    use std::time::Duration;

    use crate::cli::reread;

    /// How long filling a pipe may take. It has room for all that is read of one, unless its system is short of memory.
    const FILLED: Duration = Duration::from_secs(2);

    /// A pipe with the content of one that was read.
    pub(in crate::cli::serve) struct Pipe {
        /// The name of the one that was read.
        of: String,
        reader: PipeReader,
    }

    impl Pipe {
        pub(in crate::cli::serve) fn filled(of: String, content: Vec<u8>) -> Result<Self, String> {
            let failed = |why: &dyn std::fmt::Display| format!("what {of} had can't be kept: {why}");
            let (reader, mut writer) = std::io::pipe().map_err(|error| failed(&error))?;
            let (done, filled) = mpsc::channel();
            // Ends at the latest when the reader is dropped.
            std::thread::spawn(move || done.send(writer.write_all(&content)));
            let filled = filled.recv_timeout(FILLED);
            filled.map_err(|_| failed(&"a pipe has no room"))?.map_err(|error| failed(&error))?;
            // The call is for all descriptors, not for sockets alone. From now on the new process gets this one. It stays open
            // there when it was read, one more with each start anew.
            socket2::SockRef::from(&reader).set_cloexec(false).map_err(|error| failed(&error))?;
            Ok(Self { of, reader })
        }

        /// The path to give instead of this one, if it is that of the pipe.
        pub(super) fn instead_of(&self, path: &str) -> Option<String> {
            (self.of == path).then(|| self.path())
        }

        /// Where the new process finds it.
        pub(in crate::cli::serve) fn path(&self) -> String {
            format!("/dev/fd/{}", self.reader.as_raw_fd())
        }
    }

    /// Pipes with all that was read of pipes.
    pub(in crate::cli::serve) fn pipes() -> Result<Vec<Pipe>, String> {
        let read = reread::of_pipes().into_iter();
        read.map(|(path, content)| Pipe::filled(path.to_string_lossy().into_owned(), content)).collect()
    }
}

#[cfg(not(unix))]
pub(super) struct Pipe;

#[cfg(not(unix))]
impl Pipe {
    fn instead_of(&self, _: &str) -> Option<String> {
        None
    }
}

#[cfg(not(unix))]
pub(super) fn pipes() -> Result<Vec<Pipe>, String> {
    Err("this system can't replace a process".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_any_is_the_one_that_the_server_had_however_it_is_written() {
        let changes = Changes { replays: false, port: Some(4711), pipes: &[] };
        for (given, anew) in [
            ("serve -p0 -v", "serve -p 4711 -v"),
            ("serve -vp0", "serve -v -p 4711"),
            ("serve -qvp 0 --json", "serve -qv -p 4711"),
            ("serve -vp=0 --trigger x", "serve -v -p 4711"),
            ("serve --port=00", "serve --port 4711"),
            ("serve -vp 80", "serve -v -p 80"),
            ("serve --replay p0 --peers p -v", "serve --peers p -v"),
        ] {
            let given = given.split(' ').map(OsString::from);
            let told = arguments(given, &changes);
            let told: Vec<_> = told.iter().map(|word| word.to_string_lossy()).collect();
            assert_eq!(told.join(" "), anew);
        }
    }
}
