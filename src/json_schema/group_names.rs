//! The names of the groups of a regular expression: two groups may have the same one if they are in different alternatives.

use std::collections::HashSet;

/// The engine refuses what is nested deeper. Names there are not looked at, so that an expression is read in linear time.
const DEEPEST: usize = 256;

/// The names up to a place of an expression.
#[derive(Default)]
pub(super) struct GroupNames {
    all: HashSet<String>,
    /// Those in the alternatives that the place is in.
    taken: HashSet<String>,
    /// The groups around the place, the outermost first, without the innermost.
    around: Vec<Level>,
    inmost: Level,
    /// How many groups that are nested too deep the place is in.
    beyond: usize,
}

/// The names in one group.
#[derive(Default)]
struct Level {
    /// Those in the alternative that is being read.
    here: Vec<String>,
    /// Those in the alternatives before.
    before: Vec<String>,
}

impl GroupNames {
    /// A group begins, whose name is known already.
    pub(super) fn open(&mut self) {
        if self.around.len() >= DEEPEST {
            self.beyond += 1;
        } else {
            self.around.push(std::mem::take(&mut self.inmost));
        }
    }

    /// The group that begins here has this name: whether a group that can match together with this one has it too.
    pub(super) fn name(&mut self, name: String) -> bool {
        self.all.insert(name.clone());
        if self.beyond > 0 {
            return false;
        }
        if !self.taken.insert(name.clone()) {
            return true;
        }
        self.inmost.here.push(name);
        false
    }

    /// Whether a group has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all.contains(name)
    }

    /// Whether a group has a name.
    pub(super) fn are_there(&self) -> bool {
        !self.all.is_empty()
    }

    /// The next alternative begins.
    pub(super) fn or(&mut self) {
        if self.beyond > 0 {
            return;
        }
        for name in self.inmost.here.drain(..) {
            self.taken.remove(&name);
            self.inmost.before.push(name);
        }
    }

    /// A group ends: the names in all of its alternatives are taken beside it.
    pub(super) fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(outer) = self.around.pop() else { return };
        let inner = std::mem::replace(&mut self.inmost, outer);
        self.inmost.here.extend(inner.here);
        for name in inner.before {
            if self.taken.insert(name.clone()) {
                self.inmost.here.push(name);
            }
        }
    }
}
