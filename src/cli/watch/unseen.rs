//! What may have ended unseen: after events were lost, the server is asked for each incident that is shown as open. Nothing is taken
//! from its answers before the next heartbeat: what it had when it answered may be on its way.

use std::collections::{HashSet, VecDeque};

use crate::cli::exit::Failure;
use crate::cli::times::Asked;
use crate::report::IncidentState;

/// What a server says of an incident: its state, nothing if it has no such interface, or why there is no answer.
pub(super) type Answer = Result<Option<IncidentState>, Failure>;

/// The most incidents that are asked for.
const MOST: usize = 10_000;

/// The incidents whose ends may have been lost.
#[derive(Default)]
pub(super) struct Unseen {
    /// Events were lost, and nobody has looked yet whose they may have been.
    were_lost: bool,
    /// The incidents that are to be asked for.
    to_ask: VecDeque<String>,
    /// Those for which there is no answer yet, also if another loss makes it ask anew.
    before: HashSet<String>,
    asked: Asked<(String, Answer)>,
    /// There was no answer: it is asked again behind the next heartbeat.
    waits: bool,
    /// The answers, until everything has come that the server had when it gave them.
    answers: Vec<(String, Answer)>,
}

impl Unseen {
    /// Events were lost.
    pub(super) fn lost(&mut self) {
        self.were_lost = true;
    }

    /// Whether events were lost, and it is to be looked whose they may have been.
    pub(super) fn are_lost(&self) -> bool {
        self.were_lost
    }

    /// Another stream begins, and what was said of the old one is of no use. What was open in it may not come again.
    pub(super) fn begin_anew(&mut self, open: VecDeque<String>) {
        let mut before = std::mem::take(&mut self.before);
        before.extend(open);
        *self = Self { were_lost: self.were_lost, before, ..Self::default() };
    }

    /// Begins to ask, for the incidents that are shown as open and for those for which there was no answer.
    pub(super) fn begin(&mut self, open: VecDeque<String>) {
        let mut to_ask = open;
        let mut has = HashSet::new();
        to_ask.extend(std::mem::take(&mut self.before));
        to_ask.retain(|id| has.insert(id.clone()));
        to_ask.truncate(MOST);
        *self = Self { before: to_ask.iter().cloned().collect(), to_ask, ..Self::default() };
    }

    /// Goes on asking.
    pub(super) fn ask<F>(&mut self, question: impl FnOnce(String) -> F)
    where
        F: Future<Output = Option<(String, Answer)>> + 'static,
    {
        if self.waits || self.asked.is_waited_for() {
            return;
        }
        if let Some(id) = self.to_ask.pop_front() {
            self.asked.ask(question(id));
        }
    }

    /// The answer, if there was a question. Otherwise it waits for ever.
    pub(super) async fn answer(&mut self) -> Option<(String, Answer)> {
        self.asked.answer().await
    }

    /// Keeps an answer until the next heartbeat.
    pub(super) fn answered(&mut self, id: String, answer: Answer) {
        self.answers.push((id, answer));
    }

    /// Asks again, behind the next heartbeat, and the others first.
    pub(super) fn ask_again(&mut self, id: String) {
        self.waits = true;
        self.before.insert(id.clone());
        self.to_ask.push_back(id);
    }

    /// Everything has come that the server had when it answered: the answers hold.
    pub(super) fn take(&mut self) -> Vec<(String, Answer)> {
        self.waits = false;
        for (id, _) in &self.answers {
            self.before.remove(id);
        }
        std::mem::take(&mut self.answers)
    }

    /// Whether an incident that is shown as open may have ended.
    pub(super) fn is_unsure(&self) -> bool {
        self.were_lost || self.asked.is_waited_for() || !self.to_ask.is_empty() || !self.answers.is_empty()
    }
}
