//! The files of a contract: the one that the user names, and those in its folder that it refers to. Nothing else is read,
//! and nothing is fetched.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use super::document::Document;
use super::error::ContractError;
use super::url::{normal, of_path, to_path};
use crate::json_schema::Draft;
use crate::json_schema::compared::left_out;
use crate::json_schema::exact::Limits;
use crate::json_schema::moved;
use crate::json_schema::percent::{decode, encode};
use crate::json_schema::pointer::{escape, join, tokens};
use crate::json_schema::readings::Readings;
use crate::json_schema::understood::{self, Understood};
use crate::json_schema::words::quoted;

/// The most files of one contract.
const MOST: usize = 500;

/// How many references in a row are followed.
const REFERENCES: usize = 32;

/// What to do about a reference to the network.
pub(super) const NETWORK_HINT: &str =
    "save that document in the contract's folder, and refer to it by its file name";

/// The files that were read, by their canonical paths.
pub(super) struct Files {
    /// The folder of the user's file, without links.
    folder: PathBuf,
    /// The same folder as the user names it.
    named: PathBuf,
    read: RefCell<BTreeMap<PathBuf, Rc<Document>>>,
    /// Those that cannot be read: each is tried once.
    unread: RefCell<BTreeMap<PathBuf, ContractError>>,
    /// Those that the validator gets in another form than they were written in.
    understood: RefCell<BTreeMap<PathBuf, Option<Rc<Understood>>>>,
    /// How their regular expressions are read.
    readings: RefCell<BTreeMap<PathBuf, Rc<Readings>>>,
    /// The draft of those that do not name one.
    draft: Cell<Draft>,
    /// The limits of numbers in them that are compared to the last digit.
    pub(super) limits: Limits,
    /// The folder that `$id` gives the contract on the network: what is below it is looked for beside the file.
    id: Option<String>,
}

/// Why a reference leads nowhere.
pub(super) enum Dead {
    Network,
    /// The file cannot be read.
    File(ContractError),
    /// Nothing is there in a file with this name.
    Nothing(PathBuf),
}

/// A value of a document.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) document: Rc<Document>,
    pub(super) pointer: String,
}

impl Place {
    pub(super) fn value(&self) -> &Value {
        self.document.value.pointer(&self.pointer).unwrap_or(&Value::Null)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.value().get(key)
    }

    /// A member of this object.
    pub(super) fn at(&self, key: &str) -> Option<Place> {
        let place = Place { document: self.document.clone(), pointer: join(&self.pointer, key) };
        self.get(key).map(|_| place)
    }

    /// An item of the list that is a member of this object.
    pub(super) fn items(&self, key: &str) -> Vec<Place> {
        let count = self.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        let list = join(&self.pointer, key);
        let item =
            |index: usize| Place { document: self.document.clone(), pointer: format!("{list}/{index}") };
        (0..count).map(item).collect()
    }

    /// The members of the object that is a member of this object, with their names.
    pub(super) fn members(&self, key: &str) -> Vec<(String, Place)> {
        let Some(map) = self.at(key) else { return Vec::new() };
        let names = map.value().as_object().into_iter().flat_map(|members| members.keys());
        names.filter_map(|name| Some((name.clone(), map.at(name)?))).collect()
    }

    pub(super) fn error(&self, text: impl Into<String>) -> ContractError {
        self.document.error(&self.pointer, text)
    }

    /// The address for the schema compiler.
    pub(super) fn url(&self) -> String {
        let path = of_path(&self.document.path);
        format!("{path}#{}", to_fragment(&self.pointer))
    }
}

/// The fragment of a URL that a pointer is.
fn to_fragment(pointer: &str) -> String {
    tokens(pointer).map(|token| format!("/{}", encode(&escape(&token), false))).collect()
}

impl Files {
    /// Reads the user's file.
    pub(super) fn open(path: &Path) -> Result<(Rc<Self>, Rc<Document>), ContractError> {
        let canonical = path.canonicalize().map_err(|error| {
            ContractError::new(path, format!("the file cannot be read: {error}"))
                .hint("name a JSON Schema or an AsyncAPI document, as JSON or YAML")
        })?;
        let document = Rc::new(Document::read(path, &canonical)?);
        let parent = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
        let id = document.value.get("$id").and_then(Value::as_str).filter(|id| is_network(id));
        let id = id.and_then(|id| id.rsplit_once('/')).map(|(folder, _)| format!("{folder}/"));
        let read = BTreeMap::from([(canonical.clone(), document.clone())]);
        let (folder, named) = (parent(&canonical), parent(path));
        let read = RefCell::new(read);
        let (unread, understood, readings) = Default::default();
        let (draft, limits) = (Cell::new(Draft::V2020_12), Limits::default());
        let files = Self { folder, named, read, unread, understood, readings, draft, limits, id };
        Ok((Rc::new(files), document))
    }

    /// The document at a path, read once. The error says why there is none.
    fn at(&self, path: &Path) -> Result<Rc<Document>, ContractError> {
        let name = match path.strip_prefix(&self.folder) {
            Ok(inside) => self.named.join(inside),
            Err(_) => path.to_owned(),
        };
        let outside = "it is outside the contract's folder, and only files in that folder are read";
        let Ok(canonical) = path.canonicalize() else {
            let why = if path.starts_with(&self.folder) { "there is no such file" } else { outside };
            return Err(ContractError::new(name, why));
        };
        if !canonical.starts_with(&self.folder) {
            return Err(ContractError::new(name, outside));
        }
        if let Some(document) = self.read.borrow().get(&canonical) {
            return Ok(document.clone());
        }
        if self.read.borrow().len() == MOST {
            return Err(ContractError::new(name, format!("the contract has more than {MOST} files")));
        }
        if let Some(error) = self.unread.borrow().get(&canonical) {
            return Err(error.clone());
        }
        let document = Document::read(&name, &canonical)
            .inspect_err(|error| _ = self.unread.borrow_mut().insert(canonical.clone(), error.clone()))?;
        let document = Rc::new(document);
        self.read.borrow_mut().insert(canonical, document.clone());
        Ok(document)
    }

    /// The document at a URL, for the schema compiler.
    pub(super) fn load(&self, url: &str) -> Result<Value, String> {
        let path = match (to_path(url), self.id.as_ref()) {
            (Some(path), _) => path,
            (None, Some(id)) if url.starts_with(id.as_str()) => self.folder.join(decode(&url[id.len()..])),
            _ if is_network(url) => return Err("nothing is fetched from the network".to_owned()),
            _ => return Err("it is not a local file".to_owned()),
        };
        let found = self.at(&path).map_err(|error| match error.line {
            Some(line) => format!("line {line}: {}", error.text),
            None => error.text,
        });
        let document = found?;
        let understood = self.understood(&document);
        let mut value =
            understood.map_or_else(|| document.value.clone(), |understood| understood.value.clone());
        moved::redirect(&mut value, &|reference| self.redirected(&document, reference));
        Ok(value)
    }

    /// The reference to where something stands for the validator, if that is another place than in its document.
    fn redirected(&self, from: &Rc<Document>, reference: &str) -> Option<String> {
        let (file, fragment) = reference.split_once('#')?;
        if !fragment.starts_with('/') {
            return None;
        }
        let from = Place { document: from.clone(), pointer: String::new() };
        let Place { document, pointer } = self.lookup(&from, reference).ok()?;
        let moved = self.understood(&document)?.moved(&pointer);
        (moved != pointer).then(|| format!("{file}#{}", to_fragment(&moved)))
    }

    /// The document that a reference in another one names.
    fn beside_it(&self, from: &Document, file: &str) -> Result<Rc<Document>, ContractError> {
        let folder = from.path.parent().unwrap_or(&self.folder);
        self.at(&normal(&folder.join(decode(file))))
    }

    /// What the validator gets instead of a document; `None` if it gets the document.
    fn understood(&self, document: &Rc<Document>) -> Option<Rc<Understood>> {
        if let Some(known) = self.understood.borrow().get(&document.path) {
            return known.clone();
        }
        let elsewhere = |reference: &str| {
            let file = reference.split_once('#').map_or(reference, |(file, _)| file);
            !is_network(file)
                && self.beside_it(document, file).is_ok_and(|other| self.readings(&other).lack())
        };
        let (value, readings) = (&document.value, self.readings(document));
        let (draft, rounded) = (self.draft.get(), document.rounded());
        let understood =
            understood::understood(value, draft, &readings, &elsewhere, &self.limits, &rounded).map(Rc::new);
        self.understood.borrow_mut().insert(document.path.clone(), understood.clone());
        understood
    }

    /// How the regular expressions of a document are read.
    pub(super) fn readings(&self, document: &Rc<Document>) -> Rc<Readings> {
        let mut readings = self.readings.borrow_mut();
        let known = readings.entry(document.path.clone());
        known.or_insert_with(|| Rc::new(Readings::of(&document.value, &self.limits.budget))).clone()
    }

    /// Documents that do not name their draft are of this one. Called before any is compiled.
    pub(super) fn set_draft(&self, draft: Draft) {
        self.draft.set(draft);
    }

    /// The address of a schema for the compiler.
    pub(super) fn url(&self, schema: &Place) -> String {
        match self.understood(&schema.document) {
            Some(understood) => {
                let pointer = understood.moved(&schema.pointer);
                Place { document: schema.document.clone(), pointer }.url()
            }
            None => schema.url(),
        }
    }

    /// What of the documents is not checked, a sentence each.
    pub(super) fn left_out(&self) -> Vec<String> {
        let (read, understood) = (self.read.borrow(), self.understood.borrow());
        let documents = understood.iter().filter_map(|(path, understood)| {
            let document = read.get(path)?;
            let mut left_out = left_out(&document.rounded(), &document.value);
            left_out.extend(understood.iter().flat_map(|understood| &understood.left_out).cloned());
            Some((document, left_out))
        });
        let all = documents.flat_map(|(document, all)| all.into_iter().map(move |one| (document, one)));
        all.map(|(document, one)| {
            let place = document.error(&one.pointer, "");
            let place = place.to_string();
            format!("{} in {}: {}", one.what, place.trim_end_matches([':', ' ']), one.why)
        })
        .collect()
    }

    /// Follows the references of an object of AsyncAPI to the object itself.
    pub(super) fn follow(&self, place: &Place) -> Result<Place, ContractError> {
        let mut at = place.clone();
        for _ in 0..REFERENCES {
            let Some(reference) = at.get("$ref").and_then(Value::as_str) else { return Ok(at) };
            at = self.target(&at, reference)?;
        }
        Err(place.error("this `$ref` leads to itself").hint("let it lead to an object"))
    }

    /// Where [`Files::follow`] leads. That there is nothing costs no search for its line.
    pub(super) fn followed(&self, place: &Place) -> Option<Place> {
        let mut at = place.clone();
        for _ in 0..REFERENCES {
            let Some(reference) = at.get("$ref").and_then(Value::as_str) else { return Some(at) };
            at = self.lookup(&at, reference).ok()?;
        }
        None
    }

    /// All documents that were read.
    pub(super) fn documents(&self) -> Vec<Rc<Document>> {
        self.read.borrow().values().cloned().collect()
    }

    /// What a reference leads to.
    pub(super) fn target(&self, from: &Place, reference: &str) -> Result<Place, ContractError> {
        let wrong =
            |why: &str| from.error(format!("the `$ref` to {} cannot be followed: {why}", quoted(reference)));
        self.lookup(from, reference).map_err(|dead| match dead {
            Dead::Network => wrong("nothing is fetched from the network").hint(NETWORK_HINT),
            // The file was found, and is wrong itself.
            Dead::File(error) if error.line.is_some() => error,
            Dead::File(error) => {
                wrong(&error.text).hint("correct the reference, or put the file into the contract's folder")
            }
            Dead::Nothing(name) => {
                wrong(&format!("{} has nothing there", name.display())).hint("correct the reference")
            }
        })
    }

    /// What a reference leads to. That it leads nowhere costs no search for its line.
    pub(super) fn lookup(&self, from: &Place, reference: &str) -> Result<Place, Dead> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let own = from.document.value.get("$id").and_then(Value::as_str);
        let document = if file.is_empty() || own.is_some_and(|id| id.trim_end_matches('#') == file) {
            from.document.clone()
        } else {
            match self.id.as_deref().and_then(|id| file.strip_prefix(id)) {
                Some(beside) => self.at(&normal(&self.folder.join(decode(beside)))),
                None if is_network(file) => return Err(Dead::Network),
                None => self.beside_it(&from.document, file),
            }
            .map_err(Dead::File)?
        };
        let pointer = decode(fragment);
        if document.value.pointer(&pointer).is_none() {
            return Err(Dead::Nothing(document.name.clone()));
        }
        Ok(Place { document, pointer })
    }

    /// The document at a URL of the compiler, and the JSON pointer in it that the URL's fragment is.
    pub(super) fn place(&self, url: &str) -> Option<Place> {
        let (path, fragment) = url.split_once('#').unwrap_or((url, ""));
        let document = self.read.borrow().get(&to_path(path)?)?.clone();
        let pointer = decode(fragment);
        let pointer = match self.understood(&document) {
            Some(understood) => understood.written_at(&pointer),
            None => pointer,
        };
        Some(Place { document, pointer })
    }

    /// The document that names a URL as its draft.
    pub(super) fn draft(&self, url: &str) -> Option<Place> {
        let read = self.read.borrow();
        let names = |document: &&Rc<Document>| {
            let draft = document.value.get("$schema").and_then(Value::as_str);
            draft.is_some_and(|draft| draft.trim_end_matches('#') == url.trim_end_matches('#'))
        };
        let document = read.values().find(names)?.clone();
        Some(Place { document, pointer: "/$schema".to_owned() })
    }

    /// Where a reference to a URL stands.
    pub(super) fn reference_to(&self, url: &str) -> Option<Place> {
        let (path, fragment) = url.split_once('#').unwrap_or((url, ""));
        let fits = |reference: &str| {
            let (file, its) = reference.split_once('#').unwrap_or((reference, ""));
            let file = file.trim_start_matches(['.', '/']);
            // A reference within a document has no file.
            let same_fragment =
                if fragment.is_empty() { !file.is_empty() } else { decode(its) == decode(fragment) };
            same_fragment && decode(path).ends_with(&decode(file))
        };
        self.read.borrow().values().find_map(|document| {
            let pointer = find(&document.value, "", &fits)?;
            Some(Place { document: document.clone(), pointer })
        })
    }
}

pub(super) fn is_network(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// The pointer of the first object with a `$ref` that fits.
fn find(value: &Value, pointer: &str, fits: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::Object(object) => {
            if object.get("$ref").and_then(Value::as_str).is_some_and(fits) {
                return Some(pointer.to_owned());
            }
            object.iter().find_map(|(key, value)| find(value, &join(pointer, key), fits))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, value)| find(value, &format!("{pointer}/{index}"), fits))
        }
        _ => None,
    }
}
