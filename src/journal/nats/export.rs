//! A stream as the source of a copy. Servers may have it open and go on: what is copied ends at a position.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::super::open_error::OpenError;
use super::super::transfer::{Export, Item, PAGE_BYTES, UNPLAYABLE};
use super::link::Link;
use super::message::{Entry, PlanMark};
use super::over;
use super::plans;
use super::walk::{Stop, Walk};

/// A stream, read from a position on up to another.
pub(in crate::journal) struct StreamExport<'a> {
    link: Held<'a>,
    oldest: u64,
    until: u64,
    /// The plans of the incidents that are open at the end.
    open: HashMap<Arc<str>, PlanMark>,
    walk: Walk,
    /// What was read and is not returned yet.
    waiting: std::vec::IntoIter<Entry>,
    at: u64,
}

/// A connection of its own, or that of the target that is read again.
enum Held<'a> {
    Own(Box<Link>),
    Of(&'a Link),
}

impl Held<'_> {
    fn get(&self) -> &Link {
        match self {
            Self::Own(link) => link,
            Self::Of(link) => link,
        }
    }
}

impl StreamExport<'static> {
    /// Opens a stream to be read up to `until`, and finds out what is open there.
    pub(in crate::journal) fn open(location: &Path, oldest: u64, until: u64) -> Result<Self, OpenError> {
        Self::over(Held::Own(Box::new(Link::open(location)?)), oldest, until)
    }
}

impl<'a> StreamExport<'a> {
    /// The stream that a copy has written.
    pub(super) fn of_written(link: &'a Link, oldest: u64, until: u64) -> Result<Self, OpenError> {
        Self::over(Held::Of(link), oldest, until)
    }

    fn over(link: Held<'a>, oldest: u64, until: u64) -> Result<Self, OpenError> {
        let mut first = Walk::new(oldest - 1, until);
        while !step(link.get(), &mut first)?.is_empty() {}
        let open = first.open.into_iter().filter_map(|(subject, mark)| Some((subject, mark?))).collect();
        let walk = Walk::new(oldest - 1, until);
        Ok(Self { link, oldest, until, open, walk, waiting: Vec::new().into_iter(), at: oldest - 1 })
    }

    fn item(&self, entry: Entry) -> Result<Item, OpenError> {
        let Entry { stored, start, key, .. } = entry;
        let link = self.link.get();
        let mark = self.open.get(&stored.subject).filter(|_| stored.index == 1);
        let plan = match mark {
            Some(mark) => {
                let loaded = link.wait(plans::load(&link.api, &link.names, &stored.subject, mark));
                let plan = loaded.map_err(|fault| link.unusable(&fault))?;
                Some(plan.unwrap_or_else(|| UNPLAYABLE.into()))
            }
            None => None,
        };
        Ok(Item { stored, start, key, plan })
    }
}

fn step(link: &Link, walk: &mut Walk) -> Result<Vec<Entry>, OpenError> {
    link.wait(walk.step(&link.api, &link.names)).map_err(|stop| match stop {
        Stop::Damage { position, what } => {
            OpenError::damaged(&link.shown, format!("event {position} is damaged: {what}"))
        }
        Stop::Fault(fault) => link.unusable(&fault),
    })
}

impl Export for StreamExport<'_> {
    fn page(&mut self, after: u64) -> Result<Vec<Item>, OpenError> {
        let after = after.max(self.oldest - 1);
        if after < self.at {
            self.walk = Walk::new(self.oldest - 1, self.until);
            self.waiting = Vec::new().into_iter();
            self.at = self.oldest - 1;
        }
        let (mut items, mut bytes) = (Vec::new(), 0);
        loop {
            while let Some(entry) = self.waiting.next() {
                self.at = entry.stored.position;
                // The walk begins at the oldest event, because only so it knows what every event continues.
                if self.at <= after {
                    continue;
                }
                let item = self.item(entry)?;
                bytes += item.weight();
                items.push(item);
                if bytes >= PAGE_BYTES {
                    return Ok(items);
                }
            }
            if !items.is_empty() {
                return Ok(items);
            }
            self.waiting = step(self.link.get(), &mut self.walk)?.into_iter();
            if self.waiting.len() == 0 {
                return Ok(items);
            }
        }
    }

    fn over(&mut self) -> Result<Vec<(Arc<str>, u64)>, OpenError> {
        let link = self.link.get();
        let reading = over::read(&link.api, &link.names);
        let mut over = link.wait(reading).map_err(|fault| link.unusable(&fault))?;
        over.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
        over.retain(|(_, end)| *end < self.oldest);
        Ok(over)
    }

    fn newest(&mut self) -> Result<u64, OpenError> {
        let link = self.link.get();
        let info = link.wait(link.api.info(&link.names.events)).map_err(|fault| link.unusable(&fault))?;
        Ok(info["state"]["last_seq"].as_u64().unwrap_or_default())
    }

    fn holder(&mut self) -> Result<Option<String>, OpenError> {
        self.link.get().holder()
    }
}
