//! Names from a stream, as they are remembered: there are not endlessly many of them, and none is long, whatever the stream
//! does.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A name of so many bytes is remembered as it is.
const SHORT: usize = 128;

/// How many names of one kind are remembered of an incident.
pub(super) const MOST: usize = 1_000;

/// A name as it is remembered: the name itself, or of a long one the beginning with a hash of all of it.
pub(super) fn short(name: &str) -> Cow<'_, str> {
    if name.len() <= SHORT {
        return Cow::Borrowed(name);
    }
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let begin = name.char_indices().map(|(at, _)| at).take_while(|at| *at <= SHORT).last().unwrap_or(0);
    Cow::Owned(format!("{}…{:016x}", &name[..begin], hasher.finish()))
}

/// What is known of each name.
#[derive(Debug)]
pub(super) struct Names<T> {
    known: HashMap<String, T>,
    /// Whether there were more than are remembered.
    pub(super) is_full: bool,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), is_full: false }
    }
}

impl<T> Names<T> {
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.known.get(&*short(name))
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Remembers what is known of a name. Returns whether there is room for it.
    pub(super) fn set(&mut self, name: &str, what: T) -> bool {
        let name = short(name);
        if let Some(known) = self.known.get_mut(&*name) {
            *known = what;
            return true;
        }
        let has_room = self.known.len() < MOST;
        if has_room {
            self.known.insert(name.into_owned(), what);
        }
        self.is_full |= !has_room;
        has_room
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.known.remove(&*short(name));
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = (String, T)> {
        self.known.drain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stay_different_and_short() {
        let (one, other) = ("ü".repeat(70_000), format!("{}x", "ü".repeat(70_000)));
        assert!(short(&one).len() < 200 && short(&one) != short(&other));
        assert_eq!(short("detect"), "detect");
    }

    #[test]
    fn names_beyond_the_limit_are_noticed() {
        let mut names = Names::default();
        for n in 0..=MOST {
            assert_eq!(names.set(&n.to_string(), n), n < MOST);
        }
        assert!(names.is_full && names.set("3", 7) && names.get("3") == Some(&7));
    }
}
