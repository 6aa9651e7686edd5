//! Files and folders that are made for their owner alone. Whoever can read a journal reads what tokens protect, and can lock it,
//! so that its server can neither write nor start. SQLite gives its own files beside a database the mode of the database.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::Path;

/// How a file is opened that is to be made if it is missing. One that is there keeps its mode.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty file where nothing is: SQLite itself would make one that others can read.
pub(super) fn make(path: &Path) -> std::io::Result<File> {
    options().create_new(true).open(path)
}

/// Makes a folder, and those above it.
pub(super) fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}
