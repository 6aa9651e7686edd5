//! What the state of an incident keeps for as long as it is open, and what it may be at most: every reader holds the states of all open
//! incidents, so a publisher must not make one grow without end. Only digests are kept here.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::fault::Fault;
use super::kind::Kind;
use crate::contract::{AgentAction, Message, SystemMetrics};

/// The most hypotheses of a real incident, and the most metrics, agents and forecast quantities.
const MOST_NAMES: usize = 1_000;

/// The most bytes of names, units, claims, and what each agent did last with its newest evidence, together.
const MOST_BYTES: usize = 1024 * 1024;

/// What an entry takes beside its texts.
const ENTRY: usize = 64;

/// The names that an incident's events have used, and the bytes that its state has for them. For a drill, what is added to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// The digests of the claims of hypotheses, by the digests of their ids.
    claims: HashMap<u64, u64>,
    metrics: HashSet<u64>,
    /// What each agent leaves, by the digests of their names.
    agents: HashMap<u64, Agent>,
    /// The bytes of the quantities and of their newest units, by the digests of the quantities.
    quantities: HashMap<u64, usize>,
    bytes: usize,
}

/// The bytes of what the state has of an agent. Not every action replaces everything that an earlier one has left.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Agent {
    /// Its name, and what it did last.
    newest: usize,
    /// The newest evidence that it gave.
    evidence: usize,
    /// What its newest confidence is about.
    about: usize,
}

impl Agent {
    /// After an action.
    fn then(self, action: &AgentAction) -> Self {
        let evidence = if action.evidence.is_empty() {
            self.evidence
        } else {
            serde_json::to_string(&action.evidence).map_or(0, |text| text.len())
        };
        // It is about the action or about one of its hypotheses.
        let ids = action.hypotheses.iter().map(|belief| belief.id.len());
        let about = ids.max().unwrap_or_default().max(action.action.len());
        Self {
            newest: action.agent.len() + action.action.len() + action.summary.len() + ENTRY,
            evidence,
            about: if action.confidence.is_some() { about } else { self.about },
        }
    }

    fn bytes(self) -> usize {
        self.newest + self.evidence + self.about
    }
}

/// A digest of a text that is the same in every incident of this process.
fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Remembered {
    /// About the bytes that it takes itself.
    pub(super) fn held(&self) -> usize {
        (self.claims.capacity() + self.quantities.capacity()) * 24
            + self.agents.capacity() * 40
            + self.metrics.capacity() * 12
    }

    pub(super) fn has_claims(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Whether a hypothesis has this id.
    pub(super) fn has_claim(&self, id: &str) -> bool {
        self.claims.contains_key(&digest(id))
    }

    /// Adds what an event that is stored leaves in the state. An older server may have stored more than is allowed now.
    pub fn see(&mut self, message: &Message) {
        match message {
            Message::AgentAction(action) => {
                for belief in &action.hypotheses {
                    let entry = belief.id.len() + belief.claim.len() + ENTRY;
                    if self.claims.len() < MOST_NAMES
                        && self.claims.insert(digest(&belief.id), digest(&belief.claim)).is_none()
                    {
                        self.bytes += entry;
                    }
                }
                if let Some(forecast) = &action.forecast {
                    let quantity = digest(&forecast.quantity);
                    if self.quantities.len() < MOST_NAMES || self.quantities.contains_key(&quantity) {
                        let newest = forecast.quantity.len() + forecast.unit.len() + ENTRY;
                        let before = self.quantities.insert(quantity, newest).unwrap_or_default();
                        self.bytes = self.bytes + newest - before;
                    }
                }
                let name = digest(&action.agent);
                if self.agents.len() < MOST_NAMES || self.agents.contains_key(&name) {
                    let agent = self.agents.entry(name).or_default();
                    let newest = agent.then(action);
                    self.bytes = self.bytes + newest.bytes() - agent.bytes();
                    *agent = newest;
                }
            }
            Message::SystemMetrics(sample) => {
                for name in sample.metrics.keys() {
                    if self.metrics.len() < MOST_NAMES && self.metrics.insert(digest(name)) {
                        self.bytes += name.len() + ENTRY;
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds the faults of an event that would leave too much, or that gives a hypothesis another claim.
    pub fn judge(&self, message: &Message, faults: &mut Vec<Fault>) {
        match message {
            Message::AgentAction(action) => self.action(action, faults),
            Message::SystemMetrics(sample) => self.sample(sample, faults),
            _ => return,
        }
        // An event adds much less than half of it.
        if faults.is_empty() && self.bytes > MOST_BYTES / 2 {
            let mut then = self.clone();
            then.see(message);
            if then.bytes > MOST_BYTES && then.bytes > self.bytes {
                let detail = "the names, claims, newest actions and newest evidence of an incident have at most 1 MiB together";
                faults.push(Fault::new(Kind::Value, "/data", detail));
            }
        }
    }

    fn action(&self, action: &AgentAction, faults: &mut Vec<Fault>) {
        let new = action.hypotheses.iter().map(|belief| digest(&belief.id));
        let new: HashSet<u64> = new.filter(|id| !self.claims.contains_key(id)).collect();
        most("hypotheses", "/data/hypotheses", self.claims.len(), new.len(), faults);
        for (place, belief) in action.hypotheses.iter().enumerate() {
            if self.claims.get(&digest(&belief.id)).is_some_and(|claim| *claim != digest(&belief.claim)) {
                let detail = format!("the hypothesis {:?} had another claim before", belief.id);
                faults.push(Fault::new(Kind::Value, format!("/data/hypotheses/{place}/claim"), detail));
            }
        }
        let new = usize::from(!self.agents.contains_key(&digest(&action.agent)));
        most("agents", "/data/agent", self.agents.len(), new, faults);
        let quantity = action.forecast.as_ref().map(|forecast| digest(&forecast.quantity));
        let new = usize::from(quantity.is_some_and(|quantity| !self.quantities.contains_key(&quantity)));
        most("quantities of forecasts", "/data/forecast/quantity", self.quantities.len(), new, faults);
    }

    fn sample(&self, sample: &SystemMetrics, faults: &mut Vec<Fault>) {
        let new = sample.metrics.keys().filter(|name| !self.metrics.contains(&digest(name))).count();
        most("metrics", "/data/metrics", self.metrics.len(), new, faults);
    }
}

/// Refuses further names of something of which there are enough.
fn most(what: &str, pointer: &str, known: usize, new: usize, faults: &mut Vec<Fault>) {
    if new > 0 && known + new > MOST_NAMES {
        let detail = format!("an incident has at most {MOST_NAMES} {what}");
        faults.push(Fault::new(Kind::Value, pointer, detail));
    }
}
