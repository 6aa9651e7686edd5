//! A file that was written under another name gets its own name, unless something has that name by then.

use std::fs::{self, File, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Gives a file that is complete its name, in the same folder. Of several processes that give the same name, one succeeds.
/// Only an empty file is replaced.
///
/// # Errors
/// Something has the name, which is `AlreadyExists`; or the folder cannot be written.
pub fn take_name(written: &Path, name: &Path) -> Result<()> {
    let Ok(found) = name.symlink_metadata() else {
        return match fs::hard_link(written, name) {
            // The file has two names now. If the other one stays, nothing is lost.
            Ok(()) => fs::remove_file(written).or(Ok(())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken()),
            // Not every file system has links.
            Err(_) => fs::rename(written, name),
        };
    };
    if !found.is_file() {
        return Err(taken());
    }
    // Whoever replaces the empty file has locked it. So after another process has done so, the file at the name is seen.
    let empty = File::open(name);
    let lock = empty.as_ref().map(File::try_lock);
    let is_locked = matches!(lock, Ok(Err(TryLockError::WouldBlock)));
    if is_locked || name.symlink_metadata().is_ok_and(|found| !found.is_file() || found.len() > 0) {
        return Err(taken());
    }
    fs::rename(written, name)
}

fn taken() -> Error {
    Error::new(ErrorKind::AlreadyExists, "something else has been put there since")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn of_many_that_give_one_name_one_succeeds() {
        let folder = std::env::temp_dir().join(format!("incident-name-{}", std::process::id()));
        for is_empty_there in [false, true] {
            fs::create_dir_all(&folder).unwrap();
            let name = folder.join("name");
            if is_empty_there {
                File::create(&name).unwrap();
            }
            let begin = std::sync::Barrier::new(8);
            let given = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|number| {
                        let (written, name, begin) = (folder.join(number.to_string()), &name, &begin);
                        fs::write(&written, number.to_string()).unwrap();
                        scope.spawn(move || {
                            begin.wait();
                            take_name(&written, name).is_ok().then_some(number)
                        })
                    })
                    .collect();
                threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            let [number] = given[..] else { panic!("{given:?} have it") };
            assert_eq!(fs::read_to_string(&name).unwrap(), number.to_string());
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 8, "the others are as they were");
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}
