//! Whose database a file is: a journal's, another program's, or nobody's yet.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::super::open_error::OpenError;
use super::error::open_error;
use super::schema;

/// The tables that every format of a journal has.
const TABLES: [&str; 3] = ["events", "head", "incidents"];

/// How many of another program's tables an error names.
const NAMED: usize = 3;

/// Whose database a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// It has neither tables nor marks: a journal can begin in it.
    Empty,
    /// A journal of this format.
    Journal { format: i64 },
    /// Another program's; with what it contains.
    Foreign(String),
}

/// Reads whose database it is. Changes nothing.
pub(super) fn of(connection: &Connection) -> rusqlite::Result<Identity> {
    let (format, application) = (schema::version(connection)?, schema::application(connection)?);
    let tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    // The tables count for more than the marks in the header, of which a damaged bit would make a stranger's file.
    if TABLES.iter().all(|table| tables.iter().any(|found| found == table)) {
        return Ok(Identity::Journal { format });
    }
    if tables.is_empty() && (format, application) == (0, 0) {
        return Ok(Identity::Empty);
    }
    let mut named = tables.iter().take(NAMED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if tables.len() > NAMED {
        named += &format!(" and {} more", tables.len() - NAMED);
    }
    let has = if tables.is_empty() { "no tables".to_owned() } else { format!("the tables {named}") };
    let mark =
        if application == 0 { String::new() } else { format!(", and the application id {application:#x}") };
    Ok(Identity::Foreign(format!("it has {has}{mark}")))
}

/// What is wrong with the marks in the header of a journal, or with its tables; or what else is in it.
pub(super) fn wrong(connection: &Connection, format: i64) -> rusqlite::Result<Option<String>> {
    let (found, expected) = (schema::application(connection)?, schema::application_of(format));
    if found != expected {
        return Ok(Some(format!(
            "the application id in its header is {found:#x}, but {expected:#x} belongs to format {format}"
        )));
    }
    foreign_thing(connection, format)
}

/// How the tables and indexes differ from those that this program makes. A trigger of another program could change or delete
/// each event as it is stored.
fn foreign_thing(connection: &Connection, format: i64) -> rusqlite::Result<Option<String>> {
    let (found, expected) = (schema::things(connection)?, schema::things_of(format)?);
    if let Some((kind, name)) = expected.keys().find(|thing| found.get(thing) != expected.get(thing)) {
        return Ok(Some(format!("its {kind} `{name}` is not a journal's")));
    }
    let foreign = found.keys().find(|thing| !expected.contains_key(thing));
    Ok(foreign.map(|(kind, name)| format!("another program has put the {kind} `{name}` into it")))
}

/// Refuses a file that is another program's database, before anything is created or locked beside it.
///
/// # Errors
/// The file is another program's database. What is in its log only, and an error in reading it, is left to the one who
/// opens it.
pub(super) fn refuse_foreign(path: &Path) -> Result<(), OpenError> {
    if !path.is_file() {
        return Ok(());
    }
    let found = alone(path).and_then(|connection| of(&connection));
    match found {
        Ok(Identity::Foreign(what)) => Err(OpenError::Foreign { path: path.to_owned(), what }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Opens a database file as it is without its log, and without a lock or a file beside it.
pub(super) fn alone(path: &Path) -> rusqlite::Result<Connection> {
    let escaped = path.as_os_str().as_encoded_bytes().iter().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(*byte).to_string(),
        _ => format!("%{byte:02x}"),
    });
    let name = format!("file:{}?immutable=1", escaped.collect::<String>());
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(name, flags)
}

/// The format of a journal; `None` if the file is empty.
///
/// # Errors
/// The file is no database, another program's database, or a journal of a newer format.
pub(super) fn format(connection: &Connection, path: &Path) -> Result<Option<i64>, OpenError> {
    match of(connection).map_err(|error| open_error(path, error))? {
        Identity::Empty => Ok(None),
        Identity::Foreign(what) => Err(OpenError::Foreign { path: path.to_owned(), what }),
        Identity::Journal { format } if format > schema::VERSION => {
            Err(OpenError::Newer { path: path.to_owned(), found: format, known: schema::VERSION })
        }
        Identity::Journal { format } => Ok(Some(format)),
    }
}
