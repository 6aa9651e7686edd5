//! A contract that is read and compiled, and judges messages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

use super::document::Document;
use super::effort::Effort;
use super::error::ContractError;
use super::files::{Files, NETWORK_HINT, Place, is_network};
use super::found::Found;
use super::{asyncapi, schema};
use crate::json_schema::rounded::Rounded;
use crate::json_schema::words::quoted;
use crate::json_schema::{
    Draft, Fault, SchemaBuilder, SchemaError, SchemaId, SchemaSet, closest, unknown_draft,
};

/// The messages that a stream may consist of.
pub struct Contract {
    messages: Vec<MessageContract>,
    /// The compiled schemas, a set for each draft.
    sets: Vec<SchemaSet>,
    /// The schema that every message has to match, besides its own.
    whole: Option<Compiled>,
    /// The field at the top that tells messages apart, such as `type`.
    discriminator: Option<String>,
    /// What of it is not checked, a sentence each.
    left_out: Vec<String>,
    /// Counts the steps for a message, if they can be many.
    effort: Option<Effort>,
}

/// What is said of a schema that is judged too often.
const TOO_COSTLY: &str = "judging one value by this schema would take more than 20,000 steps: its parts refer to the same \
                          schemas again and again";
const TOO_COSTLY_HINT: &str =
    "refer to a schema once where `allOf`, `anyOf`, `oneOf` or `$ref` lead to it several times";

/// What is said of a contract that would take too long to compile.
const TOO_MANY: &str = "the contract has more than 20,000 schemas: each field, item and alternative that it describes is one, and \
                        so is each of what it refers to";
const TOO_MANY_HINT: &str = "describe fewer messages in one contract, or give fields that are alike one schema: \
                             `patternProperties`, `additionalProperties`";

/// One kind of message.
pub struct MessageContract {
    name: String,
    title: Option<String>,
    examples: Vec<Value>,
    /// Fields at the top that have one fixed text.
    fixed: Vec<(String, String)>,
    /// `None` if the message may be anything.
    schema: Option<Compiled>,
}

#[derive(Clone, Copy)]
struct Compiled {
    set: usize,
    id: SchemaId,
}

/// Why a value is no message of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The message that was probably meant; `None` if that cannot be told.
    pub message: Option<String>,
    /// A JSON pointer into the value; empty for the value as a whole.
    pub pointer: String,
    /// What is wrong there and what was expected: one sentence in plain words, without a full stop.
    pub text: String,
}

impl MessageContract {
    /// The name. Two messages of a contract may have the same.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The title, for people.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The examples that the contract has.
    pub fn examples(&self) -> &[Value] {
        &self.examples
    }

    /// Whether a field says that the value is another message.
    fn excludes(&self, value: &Value) -> bool {
        self.fixed.iter().any(|(name, text)| value.get(name).is_some_and(|found| found != text))
    }
}

impl Contract {
    /// Reads a contract and every file that it refers to.
    ///
    /// # Errors
    /// A file cannot be read, is neither a JSON Schema nor an AsyncAPI document, or describes messages in a way that this
    /// program does not understand.
    pub fn read(path: &Path) -> Result<Self, ContractError> {
        let (files, root) = Files::open(path)?;
        let is_asyncapi = root.value.get("asyncapi").is_some();
        if !is_asyncapi && !schema::is_schema(&root.value) {
            let text = "this is neither a JSON Schema nor an AsyncAPI document";
            let hint = "an AsyncAPI document has `asyncapi: 3.0.0` at its top, a JSON Schema `$schema`, `type` or `oneOf`";
            return Err(ContractError::new(path, text).hint(hint));
        }
        let found =
            if is_asyncapi { asyncapi::messages(&root, &files)? } else { schema::messages(&root, &files) };
        // AsyncAPI has a draft for each message. If some are of a newer one, what that judges beside a reference is judged in all.
        let draft = if is_asyncapi { asyncapi::newest(&found) } else { schema::draft(&root.value) };
        files.set_draft(draft);
        let whole = Place { document: root.clone(), pointer: String::new() };
        let compiled = if is_asyncapi {
            found.iter().filter_map(|message| message.schema.clone()).collect()
        } else {
            vec![whole.clone()]
        };
        if let Some(place) = files.too_many(compiled) {
            return Err(place.error(TOO_MANY).hint(TOO_MANY_HINT));
        }
        let mut compiler = Compiler { files: files.clone(), root, builders: Vec::new() };
        let mut messages = Vec::new();
        let mut roots = Vec::new();
        for message in found {
            roots.extend(message.schema.clone());
            messages.push(compiler.message(message)?);
        }
        roots.push(whole.clone());
        let whole =
            if is_asyncapi || messages.len() < 2 { None } else { Some(compiler.compile(&whole, draft)?) };
        if let Some(circle) = files.circle() {
            let text = "this `$ref` leads back to itself, so that no value can be judged";
            return Err(circle.error(text).hint("let it lead to another schema"));
        }
        // What has fixed fields is told apart best, so it is tried first.
        messages.sort_by_key(|message| std::cmp::Reverse(message.fixed.len()));
        if let Some(place) = files.too_costly() {
            return Err(place.error(TOO_COSTLY).hint(TOO_COSTLY_HINT));
        }
        let sets = compiler.builders.into_iter().map(|(_, builder)| builder.build(&files.limits)).collect();
        let discriminator = discriminator(&messages);
        let left_out = files.left_out();
        let effort = Effort::of(&files, roots.into_iter());
        Ok(Self { messages, sets, whole, discriminator, left_out, effort })
    }

    /// The kinds of messages.
    pub fn messages(&self) -> impl Iterator<Item = &MessageContract> {
        self.messages.iter()
    }

    /// What of the contract is not checked: its parts that the validator does not know, each with its place and the reason.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// [`Contract::judge`] for a value that was read from a text, which tells the numbers that were rounded then.
    ///
    /// # Errors
    /// The value is no message, or the digits that a number has lost may matter.
    pub fn judge_text(&self, text: &str, value: &Value) -> Result<&str, Mismatch> {
        Rounded::judge(text, || self.judge(value))
    }

    /// The name of the message that a value is.
    ///
    /// # Errors
    /// It is none. If a field such as `type` says which message was meant, or one fits better than the others, the
    /// explanation is about that message.
    pub fn judge(&self, value: &Value) -> Result<&str, Mismatch> {
        if let Some(steps) = self.effort.as_ref().and_then(|effort| effort.exceeded(value)) {
            let text = format!(
                "this message was not judged, because that would take more than {steps} steps: parts of the contract lead to the same \
                 schemas by several ways, or its patterns are too large for texts of this length"
            );
            return Err(Mismatch { message: None, pointer: String::new(), text });
        }
        // Most messages are known by a field such as `type`, without judging the others first.
        let likely = self
            .messages
            .iter()
            .find(|message| !message.excludes(value) && self.fault(message.schema, value).is_none());
        if let Some(message) = likely {
            return self.judge_whole(message, value);
        }
        let mut faults = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            match self.fault(message.schema, value) {
                Some(fault) => faults.push((message, fault)),
                None => return self.judge_whole(message, value),
            }
        }
        let meant = self.meant(value);
        faults.retain(|(message, _)| meant(message));
        let (messages, faults): (Vec<_>, Vec<_>) = faults.into_iter().unzip();
        let (index, why) = closest(&faults);
        let message = index.and_then(|index| messages.get(index)).map(|message| message.name.clone());
        Err(Mismatch { message, pointer: why.pointer, text: why.text })
    }

    /// Which messages a value may have been meant to be: those with its text in the field that tells messages apart; if no
    /// message has that text, all that have the field.
    fn meant(&self, value: &Value) -> impl Fn(&MessageContract) -> bool {
        let field = self.discriminator.as_deref().filter(|field| value.get(field).is_some());
        let its = field.and_then(|field| value.get(field)).and_then(Value::as_str);
        let text = move |message: &MessageContract| {
            let mut fixed = message.fixed.iter();
            fixed.find(|(name, _)| Some(name.as_str()) == field).map(|(_, text)| text.clone())
        };
        let is_known = self.messages.iter().any(|message| its.is_some() && text(message).as_deref() == its);
        move |message: &MessageContract| match (field, is_known) {
            (None, _) => true,
            (Some(_), true) => text(message).as_deref() == its,
            (Some(_), false) => text(message).is_some(),
        }
    }

    /// What the schema says beside its alternatives, or that two of them fit.
    fn judge_whole<'a>(&self, message: &'a MessageContract, value: &Value) -> Result<&'a str, Mismatch> {
        match self.fault(self.whole, value).map(|fault| fault.explain()) {
            None => Ok(&message.name),
            Some(why) => {
                Err(Mismatch { message: Some(message.name.clone()), pointer: why.pointer, text: why.text })
            }
        }
    }

    fn fault(&self, schema: Option<Compiled>, value: &Value) -> Option<Fault> {
        let schema = schema?;
        self.sets.get(schema.set)?.fault(schema.id, value)
    }
}

/// The field with the most different fixed texts.
fn discriminator(messages: &[MessageContract]) -> Option<String> {
    let mut texts = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (name, text) in messages.iter().flat_map(|message| &message.fixed) {
        texts.entry(name).or_default().insert(text);
    }
    // Of those with equally many the first.
    let found = texts.iter().rev().max_by_key(|(_, texts)| texts.len());
    found.map(|(name, _)| (*name).to_owned())
}

impl std::fmt::Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.messages().map(MessageContract::name).collect();
        f.debug_struct("Contract").field("messages", &names).finish_non_exhaustive()
    }
}

/// What compiles the schemas of a contract.
struct Compiler {
    files: Rc<Files>,
    root: Rc<Document>,
    builders: Vec<(Draft, SchemaBuilder)>,
}

impl Compiler {
    fn message(&mut self, found: Found) -> Result<MessageContract, ContractError> {
        let fixed = found.fixed(&self.files);
        let schema = match &found.schema {
            Some(schema) => Some(self.compile(schema, found.draft)?),
            None => None,
        };
        let Found { name, title, examples, .. } = found;
        Ok(MessageContract { name, title, examples, fixed, schema })
    }

    fn compile(&mut self, schema: &Place, draft: Draft) -> Result<Compiled, ContractError> {
        let known = self.builders.iter().position(|(known, _)| *known == draft);
        let set = known.unwrap_or_else(|| {
            let files = self.files.clone();
            self.builders.push((draft, SchemaBuilder::new(draft, move |url| files.load(url))));
            self.builders.len() - 1
        });
        let id =
            self.builders[set].1.compile(&self.files.url(schema)).map_err(|error| self.located(error))?;
        Ok(Compiled { set, id })
    }

    /// The error with the file, line and place that it is about.
    fn located(&self, error: SchemaError) -> ContractError {
        if let Some(dead) = &error.reference {
            let Some(place) = self.files.reference_to(&dead.url) else {
                if let Some(place) = self.files.draft(&dead.url) {
                    return place.error(unknown_draft(&dead.url)).hint("name one of these in `$schema`");
                }
                return ContractError::new(&self.root.name, error.text);
            };
            let reference = place.get("$ref").and_then(Value::as_str).unwrap_or_default();
            let text = format!("the `$ref` to {} cannot be followed: {}", quoted(reference), dead.why);
            let hint = if is_network(&dead.url) {
                NETWORK_HINT
            } else {
                "correct the reference, or put the file into the contract's folder"
            };
            return place.error(text).hint(hint);
        }
        match error.url.as_deref().and_then(|url| self.files.place(url)) {
            Some(place) => place.error(error.text).hint("correct the schema"),
            None => ContractError::new(&self.root.name, error.text).hint("correct the schema"),
        }
    }
}
