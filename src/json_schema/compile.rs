//! Schemas that are compiled and ready to judge values.

use std::rc::Rc;
use std::thread::ScopedJoinHandle;

use boon::{CompileError, Compiler, Format, SchemaIndex, Schemas, ValidationError};
use serde_json::Value;
use thiserror::Error;

use super::exact::{Answers, Known, Limits, Patterns};
use super::explain::Mismatch;
use super::fault::Fault;
use super::leaf::{Leaf, What};
use super::read::read;
use super::rounded::Rounded;
use super::{exact, formats, international, pattern, percent, words};

pub use boon::Draft;

/// The address of a schema that was given without one. Nothing is loaded from it.
const ADDRESS: &str = "https://incident.invalid/schema.json";

/// One schema, compiled. `format` is checked too.
pub struct Schema {
    set: SchemaSet,
    root: SchemaId,
}

impl Schema {
    /// Compiles a schema of the draft that it names, or of draft 2020-12. It can only refer to itself.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let schema = schema.clone();
        let load = move |url: &str| match url {
            ADDRESS => Ok(schema.clone()),
            _ => Err("it is not in this schema".to_owned()),
        };
        let mut builder = SchemaBuilder::new(Draft::V2020_12, load);
        let root = builder.compile(ADDRESS)?;
        Ok(Self { set: builder.build(&Limits::default()), root })
    }

    /// The explanation of what is wrong with a value; `None` if the value is valid.
    pub fn mismatch(&self, value: &Value) -> Option<Mismatch> {
        self.fault(value).map(|fault| fault.explain())
    }

    /// What is wrong with a value; `None` if it is valid.
    pub fn fault(&self, value: &Value) -> Option<Fault> {
        self.set.fault(self.root, value)
    }
}

/// Compiles several schemas, which may share parts.
pub struct SchemaBuilder {
    compiler: Compiler,
    schemas: Schemas,
    load: Rc<Loader>,
}

/// Gives the document at a URL, or the reason why there is none.
type Loader = dyn Fn(&str) -> Result<Value, String>;

/// Names a schema in the set that it was compiled for.
#[derive(Debug, Clone, Copy)]
pub struct SchemaId(SchemaIndex);

impl SchemaBuilder {
    /// Schemas without `$schema` are of this draft. `load` gives the document at a URL.
    pub fn new(draft: Draft, load: impl Fn(&str) -> Result<Value, String> + 'static) -> Self {
        let load: Rc<Loader> = Rc::new(load);
        let mut compiler = Compiler::new();
        compiler.set_default_draft(draft);
        compiler.enable_format_assertions();
        let regex = Format { name: pattern::FORMAT, func: regex };
        let own = exact::formats().iter().copied().chain(formats::FORMATS);
        for format in own.chain(international::formats()).chain([regex]) {
            compiler.register_format(format);
        }
        compiler.use_loader(Box::new(Load(load.clone())));
        Self { compiler, schemas: Schemas::new(), load }
    }

    /// Compiles the schema at a URL. The fragment is a JSON pointer, percent-encoded.
    pub fn compile(&mut self, url: &str) -> Result<SchemaId, SchemaError> {
        match self.compiler.compile(url, &mut self.schemas) {
            Ok(index) => Ok(SchemaId(index)),
            Err(CompileError::ValidationError { url, src }) => Err(self.no_schema(&url, &src)),
            Err(error) => Err(error.into()),
        }
    }

    /// A document that does not match the schema of schemas. `url` is the place that was judged.
    fn no_schema(&self, url: &str, error: &ValidationError<'_, '_>) -> SchemaError {
        let (document, fragment) = url.split_once('#').unwrap_or((url, ""));
        let mut document = (self.load)(document).unwrap_or_default();
        as_written(&mut document);
        let judged = document.pointer(&percent::decode(fragment)).unwrap_or(&Value::Null);
        let why = read(error, judged, &Patterns::new()).unwrap_or_else(|| Fault::All(Vec::new())).explain();
        let separator = if url.contains('#') { "" } else { "#" };
        SchemaError {
            url: Some(format!("{url}{separator}{}", why.pointer)),
            reference: None,
            text: format!("this is no JSON Schema: {}", why.text),
        }
    }

    /// The compiled schemas, with the limits in the documents that they came from.
    pub fn build(self, limits: &Limits) -> SchemaSet {
        SchemaSet { schemas: self.schemas, limits: limits.known(), patterns: limits.patterns() }
    }
}

/// Takes away what shows the validator that a pattern is none.
fn as_written(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(written) = text.strip_prefix(pattern::WRONG) {
                *text = written.to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_written),
        Value::Object(object) => object.values_mut().for_each(as_written),
        _ => {}
    }
}

fn regex(value: &Value) -> Result<(), Box<dyn std::error::Error>> {
    match value {
        Value::String(text) if !pattern::is_regex(text) => Err("it is none".into()),
        _ => Ok(()),
    }
}

struct Load(Rc<Loader>);

impl boon::UrlLoader for Load {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        (self.0)(url).map_err(Into::into)
    }
}

/// Values that are nested no deeper are judged on the stack of the caller.
const SHALLOW: usize = 16;

/// Enough stack for the deepest value that the JSON reader accepts, 128 levels, in bytes.
const STACK: usize = 64 << 20;

fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|item| is_deeper(item, levels - 1)),
        Value::Object(object) => levels == 0 || object.values().any(|item| is_deeper(item, levels - 1)),
        _ => false,
    }
}

/// Compiled schemas.
pub struct SchemaSet {
    schemas: Schemas,
    limits: Known,
    patterns: Patterns,
}

impl SchemaSet {
    /// What is wrong with a value; `None` if it is valid, or if the id is another set's.
    pub fn fault(&self, schema: SchemaId, value: &Value) -> Option<Fault> {
        if !self.schemas.contains(schema.0) {
            return None;
        }
        let rounded = Rounded::current();
        let judge = || self.judged(schema, value, &rounded);
        if !is_deeper(value, SHALLOW) {
            return judge();
        }
        // A schema that refers to itself is walked as deep as the value, and the validator needs much stack for each level.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, judge);
            match thread.map(ScopedJoinHandle::join) {
                Ok(Ok(found)) => found,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(_) => judge(),
            }
        })
    }
}

impl SchemaSet {
    /// What is wrong, whatever the digits were that numbers of the contract have lost.
    fn judged(&self, schema: SchemaId, value: &Value, rounded: &Rounded) -> Option<Fault> {
        let (fault, is_unclear) = self.judged_so(schema, value, rounded, true);
        let fault = fault?;
        if is_unclear {
            // What does not fit because it can't be said may be why the whole fits.
            self.judged_so(schema, value, rounded, false).0?;
        }
        Some(fault)
    }

    /// What is wrong, or could not be said of the message, if that is answered so which numbers of the contract make unclear. Returns also
    /// whether there was anything of that.
    fn judged_so(
        &self,
        schema: SchemaId,
        value: &Value,
        rounded: &Rounded,
        contract: bool,
    ) -> (Option<Fault>, bool) {
        let judge = |message| {
            let validate = || self.schemas.validate(value, schema.0).err();
            let (error, unclear) =
                exact::with(&self.limits, rounded, Answers { contract, message }, validate);
            (error.and_then(|error| read(&error, value, &self.patterns)), unclear)
        };
        let (fault, unclear) = judge(false);
        let Some(sentence) = unclear.message else { return (fault, unclear.contract) };
        let (other, further) = judge(true);
        let fault = match (fault, other) {
            (Some(_), Some(certain)) => Some(certain),
            // What is not said of one schema may have let another one pass.
            (None, Some(_)) => Some(Fault::One(Leaf { path: Vec::new(), what: What::Sentence(sentence) })),
            (fault, None) => fault,
        };
        (fault, unclear.contract || further.contract)
    }
}

/// A reference that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadReference {
    /// Where it leads.
    pub url: String,
    /// Why nothing is there.
    pub why: String,
}

/// Why a schema cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct SchemaError {
    /// Where: a URL, with a JSON pointer as its fragment if the place in the document is known.
    pub url: Option<String>,
    /// The reference that leads nowhere, if that is what is wrong.
    pub reference: Option<DeadReference>,
    /// What is wrong, in plain words.
    pub text: String,
}

impl From<CompileError> for SchemaError {
    fn from(error: CompileError) -> Self {
        let reference = match &error {
            CompileError::LoadUrlError { url, src } => Some((url.clone(), src.to_string())),
            CompileError::UnsupportedUrlScheme { url } => {
                Some((url.clone(), "it is not a local file".to_owned()))
            }
            CompileError::JsonPointerNotFound(url) => Some((url.clone(), "nothing is there".to_owned())),
            CompileError::AnchorNotFound { url, reference } => {
                Some((format!("{url}#{reference}"), "nothing has that anchor".to_owned()))
            }
            _ => None,
        };
        let reference = reference.map(|(url, why)| DeadReference { url, why });
        let (url, text) = match error {
            CompileError::ParseUrlError { url, src } => {
                (None, format!("{} is no URL: {src}", words::quoted(&url)))
            }
            CompileError::LoadUrlError { url, src } => {
                (None, format!("{} cannot be read: {src}", words::quoted(&url)))
            }
            CompileError::UnsupportedUrlScheme { url } => {
                (None, format!("{} is not a local file", words::quoted(&url)))
            }
            CompileError::InvalidMetaSchemaUrl { url, .. } | CompileError::UnsupportedDraft { url } => {
                (None, unknown_draft(&url))
            }
            CompileError::MetaSchemaCycle { url } => {
                (Some(url), "`$schema` refers to itself without end".to_owned())
            }
            CompileError::ValidationError { url, src } => {
                (Some(url), format!("this is no JSON Schema: {src}"))
            }
            CompileError::ParseIdError { loc } => (Some(loc), "the `$id` is no URL".to_owned()),
            CompileError::ParseAnchorError { loc } => (Some(loc), "the `$anchor` is no name".to_owned()),
            CompileError::DuplicateId { url, id, ptr1, ptr2 } => {
                (Some(format!("{url}#{ptr2}")), format!("the `$id` {} is at {ptr1} too", words::quoted(&id)))
            }
            CompileError::DuplicateAnchor { anchor, url, ptr1, ptr2 } => (
                Some(format!("{url}#{ptr2}")),
                format!("the `$anchor` {} is at {ptr1} too", words::quoted(&anchor)),
            ),
            CompileError::InvalidJsonPointer(url) => {
                (None, format!("{} has no JSON pointer after the `#`", words::quoted(&url)))
            }
            CompileError::JsonPointerNotFound(url) => {
                (None, format!("a `$ref` leads to {}, where nothing is", words::quoted(&url)))
            }
            CompileError::AnchorNotFound { reference, .. } => (
                None,
                format!("a `$ref` leads to the anchor {}, which nothing has", words::quoted(&reference)),
            ),
            CompileError::UnsupportedVocabulary { url, vocabulary } => {
                (Some(url), format!("the vocabulary {} is not known", words::quoted(&vocabulary)))
            }
            CompileError::InvalidRegex { url, regex, .. } => {
                (Some(url), format!("{} is no regular expression", words::quoted(&regex)))
            }
            CompileError::Bug(why) => (None, format!("the schema cannot be compiled: {why}")),
        };
        Self { url, reference, text }
    }
}

/// What is said of a `$schema` that is none.
pub fn unknown_draft(url: &str) -> String {
    format!(
        "{} names no JSON Schema draft that is known: draft-04, -06, -07, 2019-09 and 2020-12 are",
        words::quoted(url)
    )
}
