//! A file that is opened before the work and written after it, so that a path that can't be written fails at once. A file
//! with content is never overwritten, and a reader sees nothing of a file or all of it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::exit::{Exit, Failure};
use crate::new_file::take_name;

/// An opened file. What is at the path stays until [`OutFile::write`].
#[derive(Debug)]
pub(super) struct OutFile {
    path: PathBuf,
    file: File,
    /// The file beside it that takes its place when it is written, and is removed if it never is; `None` for pipes,
    /// terminals and devices, and in folders in which no file can be made.
    temporary: Option<PathBuf>,
}

impl OutFile {
    /// The file of a flag that may name stdout as `-`, as no flag does; `None` is stdout.
    ///
    /// # Errors
    /// As [`OutFile::open`].
    pub(super) fn or_stdout(path: Option<&Path>) -> Result<Option<Self>, Failure> {
        path.filter(|path| *path != Path::new(STDOUT)).map(Self::open).transpose()
    }

    /// # Errors
    /// The path can't be written, or is a file that has content already. Both are usage errors.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        refuse_stdout(path)?;
        let found = path.metadata();
        if found.as_ref().is_ok_and(|found| found.is_file() && found.len() > 0) {
            let error = anyhow!("{} already exists", path.display());
            return Err(Failure::new(Exit::Usage, error).hint("name another file, or remove this one"));
        }
        let in_place = || OpenOptions::new().write(true).open(path).map(|file| (file, None));
        let opened = match &found {
            Ok(found) if !found.is_file() => in_place(),
            // A link that leads nowhere.
            Err(_) if path.is_symlink() => in_place(),
            // The file that a shell has opened: what it writes later would go to a file without a name.
            Ok(_) if is_descriptor(path) => in_place(),
            Ok(_) => beside(path).or_else(|_| in_place()),
            Err(_) => beside(path),
        };
        match opened {
            Ok((file, temporary)) => Ok(Self { path: path.to_owned(), file, temporary }),
            Err(error) => {
                let hint = instead(&error);
                let error = anyhow!("{} cannot be written: {error}", path.display());
                Err(Failure::new(Exit::Usage, error).hint(hint))
            }
        }
    }

    /// Writes the content.
    ///
    /// # Errors
    /// The disk is full, or the path leads elsewhere by now. Both have the status of a path that can't be written.
    pub(super) fn write(mut self, text: &str) -> Result<(), Failure> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| match self.temporary.take() {
            None => Ok(()),
            Some(temporary) => {
                // A link stays a link.
                let real = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
                take_name(&temporary, &real).or_else(|error| {
                    self.temporary = Some(temporary);
                    if error.kind() == ErrorKind::AlreadyExists {
                        return Err(error);
                    }
                    // A file that a container shares can be written, but not replaced.
                    OpenOptions::new().write(true).truncate(true).open(&self.path)?.write_all(text.as_bytes())
                })
            }
        });
        written.map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::AlreadyExists => "name another file, or remove this one",
                _ => "name a file on a disk with room, and run it again",
            };
            let text = anyhow!("{} cannot be written: {error}", self.path.display());
            Failure::new(Exit::Usage, text).hint(hint)
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// What stands for stdout where a file is written.
pub(super) const STDOUT: &str = "-";

/// Refuses `-` where stdout has something else, or can't be written like a file: it would be a file with that name.
pub(super) fn refuse_stdout(path: &Path) -> Result<(), Failure> {
    if path != Path::new(STDOUT) {
        return Ok(());
    }
    let error = anyhow!("- stands for stdout, which this cannot be written to");
    Err(Failure::new(Exit::Usage, error).hint("name a file; ./- is one that is called -"))
}

/// What to name instead of a file that can't be written.
fn instead(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => "name a file in a folder that exists",
        ErrorKind::IsADirectory => "this is a folder: name a file in it",
        ErrorKind::PermissionDenied => "name a file that you may write, in a folder that you may write to",
        ErrorKind::ReadOnlyFilesystem => "name a file on a disk that can be written",
        _ => "name another file",
    }
}

/// Whether a path such as `/dev/stdout` leads to an open file of this process by the number of its descriptor.
fn is_descriptor(path: &Path) -> bool {
    let mut path = path.to_owned();
    // As many links as a system follows.
    for _ in 0..40 {
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok()).unwrap_or_default();
        if folder.starts_with("/proc") || folder == Path::new("/dev/fd") {
            return true;
        }
        match path.read_link() {
            Ok(to) => path = folder.join(to),
            Err(_) => return false,
        }
    }
    false
}

/// A new file in the same folder, with the permissions of the file whose place it takes.
fn beside(path: &Path) -> std::io::Result<(File, Option<PathBuf>)> {
    let real = path.canonicalize();
    let wanted = real.as_deref().unwrap_or(path);
    wanted.file_name().ok_or(ErrorKind::IsADirectory)?;
    let temporary = wanted.with_file_name(format!(".incident-{:016x}.part", crate::random::bits()));
    let file = File::create_new(&temporary)?;
    if let Ok(found) = wanted.metadata() {
        // If this fails, the file has the permissions of a new one.
        let _ = file.set_permissions(found.permissions());
    }
    Ok((file, Some(temporary)))
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // If this fails, the temporary file stays.
            let _ = std::fs::remove_file(temporary);
        }
    }
}
