//! What is compared with numbers, to the last digit. The validator compares binary fractions, to which 9007199254740993 is
//! 9007199254740992, and every large number a multiple of everything. So it is given such comparisons as formats of our own, which
//! judge any value.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use boon::Format;
use serde_json::{Map, Number, Value};

use super::decimal::is_multiple;
use super::readings::Budget;
use super::rounded::Rounded;
use super::same::{EXACT, are_roughly_same, are_same, twice, whole};
use super::words::{choice, shown};

/// What a keyword asks of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    AtLeast,
    AtMost,
    MoreThan,
    LessThan,
    MultipleOf,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    asks: Asks,
    number: Number,
    /// The contract has another number, which was rounded when it was read.
    is_rounded: bool,
}

/// A value that is allowed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Allowed {
    value: Value,
    is_rounded: bool,
}

/// How it is answered what can't be said, because digits of a number were lost: whether it fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers {
    /// If the contract's number has lost them.
    pub(super) contract: bool,
    /// If the message's number has.
    pub(super) message: bool,
}

/// What could not be said.
#[derive(Debug, Default)]
pub(super) struct Unclear {
    /// Something because of a number of the contract.
    pub(super) contract: bool,
    /// The first thing because of a number of the message, in a sentence.
    pub(super) message: Option<String>,
}

/// What is judged to the last digit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Judged {
    Limit(Limit),
    /// The value is one of these. The validator compares with them as well; this tells what is the same to it and is not.
    Values(Vec<Allowed>),
    /// The items of a list differ.
    Unique,
}

const UNCLEAR: &str = "which can't be said of a number that was rounded when it was read";

/// How it is told that a list has an item twice.
pub(super) const HAS_TWICE: &str = "has the same item twice";

/// The name of such a format begins so.
const NAME: &str = "incident-limit-";

/// What a contract has in another form for the validator.
#[derive(Debug, Default)]
pub struct Limits {
    /// What is judged so, each once.
    judged: RefCell<Vec<Judged>>,
    /// Patterns, as they are written in the contract, by what the validator gets.
    patterns: RefCell<Patterns>,
    /// What is left for its patterns.
    pub budget: Budget,
}

/// Patterns as they are written, by what the validator gets.
pub(super) type Patterns = HashMap<String, String>;

/// What is judged so in one contract when it is read.
pub(super) type Known = Arc<[Judged]>;

thread_local! {
    /// A format has no data, only a function: the function of a place judges by what has that place in the contract by which this
    /// thread judges just now.
    static CURRENT: RefCell<Option<Judging>> = const { RefCell::new(None) };
}

/// A value that is judged.
struct Judging {
    limits: Known,
    /// The numbers in it that are not those that were written.
    rounded: Rounded,
    answers: Answers,
    unclear: Unclear,
}

macro_rules! places {
    ($($place:literal)*) => {
        [$(Format { name: concat!("incident-limit-", $place), func: judge::<$place> }),*]
    };
}

/// The formats of all places.
static FORMATS: [Format; MOST] = places!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
    37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
);

/// The most different ones that are compared exactly.
pub(super) const MOST: usize = 64;

fn judge<const PLACE: usize>(value: &Value) -> Result<(), Box<dyn Error>> {
    CURRENT.with_borrow_mut(|judging| {
        let Some(judging) = judging else { return Ok(()) };
        let limits = Arc::clone(&judging.limits);
        let judged = match (limits.get(PLACE), value) {
            (Some(Judged::Limit(limit)), Value::Number(number)) => judging.number(limit, number),
            (Some(Judged::Values(values)), value) => judging.value(values, value),
            (Some(Judged::Unique), Value::Array(items)) => judging.items(items),
            _ => Ok(()),
        };
        judged.map_err(Into::into)
    })
}

impl Judging {
    fn number(&mut self, limit: &Limit, number: &Number) -> Result<(), String> {
        if limit.is_rounded && limit.is_near(number) {
            return self.contract_cannot_say(limit.text());
        }
        if limit.is_unclear(number) && self.rounded.has(number) {
            let text = format!("{}, {UNCLEAR}", limit.text());
            return self.cannot_say(format!("{number} should be {text}"), text);
        }
        if limit.holds(number) { Ok(()) } else { Err(limit.text()) }
    }

    fn value(&mut self, values: &[Allowed], value: &Value) -> Result<(), String> {
        let mut near = values.iter().filter(|allowed| are_roughly_same(&allowed.value, value)).peekable();
        if near.peek().is_none() {
            return Ok(());
        }
        let allowed = choice(&values.iter().map(|allowed| shown(&allowed.value)).collect::<Vec<_>>());
        let (rounded, exact): (Vec<_>, Vec<_>) = near.partition(|allowed| allowed.is_rounded);
        let is_rounded = self.rounded.within(value).is_some();
        if !is_rounded && exact.iter().any(|allowed| are_same(&allowed.value, value)) {
            return Ok(());
        }
        if !rounded.is_empty() {
            return self.contract_cannot_say(allowed);
        }
        if is_rounded {
            let text = format!("{allowed}, {UNCLEAR}");
            return self.cannot_say(format!("{} should be {text}", shown(value)), text);
        }
        Err(allowed)
    }

    fn items(&mut self, items: &[Value]) -> Result<(), String> {
        let Some((first, second)) = twice(items) else { return Ok(()) };
        let (one, other) = (first + 1, second + 1);
        let text = format!("{HAS_TWICE}, as numbers {one} and {other}; expected different items");
        if items.get(first).is_some_and(|item| self.rounded.within(item).is_some()) {
            let text =
                format!("{text}, which can't be said of numbers that were rounded when they were read");
            return self.cannot_say(format!("a list {text}"), text);
        }
        Err(text)
    }

    /// Notes what cannot be said because of a number of the message.
    fn cannot_say(&mut self, sentence: String, text: String) -> Result<(), String> {
        self.unclear.message.get_or_insert(sentence);
        if self.answers.message { Ok(()) } else { Err(text) }
    }

    /// The same because of a number of the contract.
    fn contract_cannot_say(&mut self, text: String) -> Result<(), String> {
        self.unclear.contract = true;
        if self.answers.contract { Ok(()) } else { Err(text) }
    }
}

/// Validates by a contract with these limits. Returns also what could not be said, because numbers are rounded.
pub(super) fn with<T>(
    limits: &Known,
    rounded: &Rounded,
    answers: Answers,
    validate: impl FnOnce() -> T,
) -> (T, Unclear) {
    let (limits, rounded) = (limits.clone(), rounded.clone());
    CURRENT.set(Some(Judging { limits, rounded, answers, unclear: Unclear::default() }));
    let result = validate();
    (result, CURRENT.take().map(|judging| judging.unclear).unwrap_or_default())
}

/// The formats, for the validator.
pub(super) fn formats() -> &'static [Format] {
    &FORMATS
}

/// Whether a format is one of these. Its error says what was expected, or what is there twice.
pub(super) fn is_limit(format: &str) -> bool {
    format.starts_with(NAME)
}

/// Keywords with a number, and what they ask.
pub(super) const KEYWORDS: [(&str, Asks); 5] = [
    ("minimum", Asks::AtLeast),
    ("maximum", Asks::AtMost),
    ("exclusiveMinimum", Asks::MoreThan),
    ("exclusiveMaximum", Asks::LessThan),
    ("multipleOf", Asks::MultipleOf),
];

/// The keyword with which draft 4 says that the number itself does not fit, and what is asked then.
fn strict(asks: Asks) -> Option<(&'static str, Asks)> {
    match asks {
        Asks::AtLeast => Some(("exclusiveMinimum", Asks::MoreThan)),
        Asks::AtMost => Some(("exclusiveMaximum", Asks::LessThan)),
        Asks::MoreThan | Asks::LessThan | Asks::MultipleOf => None,
    }
}

/// A limit of a schema with which the validator would compare roughly.
pub(super) struct Rough<'s> {
    pub(super) keyword: &'static str,
    pub(super) asks: Asks,
    pub(super) number: &'s Number,
    /// Whether a keyword of draft 4 needs it to stand there.
    pub(super) beside: bool,
}

/// The limits of a schema with which the validator would compare roughly.
pub(super) fn rough(schema: &Map<String, Value>) -> impl Iterator<Item = Rough<'_>> {
    KEYWORDS.into_iter().filter_map(|(keyword, asks)| {
        let number = schema.get(keyword)?.as_number()?;
        let strict = strict(asks).and_then(|(word, asks)| Some((asks, schema.get(word)?.as_bool()?)));
        let beside = strict.is_some();
        let asks = strict.filter(|(_, is_strict)| *is_strict).map_or(asks, |(asks, _)| asks);
        is_rough(asks, number).then_some(Rough { keyword, asks, number, beside })
    })
}

/// Whether the validator would compare with this number, of a keyword, only roughly.
fn is_rough(asks: Asks, number: &Number) -> bool {
    let size = number.as_f64().unwrap_or_default();
    match asks {
        // It divides every number so. What is not above 0 is a mistake of the contract, which the validator tells.
        Asks::MultipleOf => size > 0.0,
        _ => size.abs() >= EXACT,
    }
}

impl Limits {
    /// The name of the format of what is judged so; `None` if there are too many.
    pub(super) fn format_of(&self, judged: Judged) -> Option<&'static str> {
        let mut limits = self.judged.borrow_mut();
        let known = limits.iter().position(|known| *known == judged);
        let place = known.unwrap_or(limits.len());
        let format = FORMATS.get(place)?;
        if known.is_none() {
            limits.push(judged);
        }
        Some(format.name)
    }

    /// The validator gets a pattern in this form.
    pub(super) fn pattern(&self, known: &str, written: &str) {
        if known != written {
            self.patterns.borrow_mut().insert(known.to_owned(), written.to_owned());
        }
    }

    pub(super) fn patterns(&self) -> Patterns {
        self.patterns.borrow().clone()
    }

    pub(super) fn known(&self) -> Known {
        self.judged.borrow().as_slice().into()
    }
}

impl Allowed {
    pub(super) fn new(value: Value, rounded: &Rounded) -> Self {
        let is_rounded = rounded.within(&value).is_some();
        Self { value, is_rounded }
    }
}

impl Limit {
    pub(super) fn new(asks: Asks, number: &Number, rounded: &Rounded) -> Self {
        Self { asks, number: number.clone(), is_rounded: rounded.has(number) }
    }

    /// Whether the digits that the limit has lost may matter for a number.
    fn is_near(&self, number: &Number) -> bool {
        match self.asks {
            Asks::MultipleOf => {
                let times = number.as_f64().zip(self.number.as_f64()).map(|(number, of)| number / of);
                // The more often it is taken, the more of a difference its last digits make.
                times.is_none_or(|times| (times - times.round()).abs() <= times.abs() * f64::EPSILON)
            }
            _ => number.as_f64() == self.number.as_f64(),
        }
    }

    /// Whether the digits that a number has lost may matter: others are on the same side of the limit, however they are rounded.
    fn is_unclear(&self, number: &Number) -> bool {
        let size = number.as_f64().unwrap_or_default().abs();
        // A fraction is written with its last digits by some programs and without them by others.
        self.asks == Asks::MultipleOf && size >= EXACT || number.as_f64() == self.number.as_f64()
    }

    fn holds(&self, number: &Number) -> bool {
        let order = || compare(number, &self.number);
        match self.asks {
            Asks::AtLeast => order() != Some(Ordering::Less),
            Asks::AtMost => order() != Some(Ordering::Greater),
            Asks::MoreThan => order() == Some(Ordering::Greater),
            Asks::LessThan => order() == Some(Ordering::Less),
            Asks::MultipleOf => {
                is_multiple(&number.to_string(), &self.number.to_string()).unwrap_or_else(|| {
                    // Too far apart for their digits.
                    let parts = number.as_f64().zip(self.number.as_f64());
                    parts.is_none_or(|(number, of)| (number / of).fract() == 0.0)
                })
            }
        }
    }

    fn text(&self) -> String {
        let number = &self.number;
        match self.asks {
            Asks::AtLeast => format!("at least {number}"),
            Asks::AtMost => format!("at most {number}"),
            Asks::MoreThan => format!("more than {number}"),
            Asks::LessThan => format!("less than {number}"),
            Asks::MultipleOf => format!("a multiple of {number}"),
        }
    }
}

/// Whole numbers by all of their digits; others, which are small or have been rounded when they were read, as they are.
fn compare(one: &Number, other: &Number) -> Option<Ordering> {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}
