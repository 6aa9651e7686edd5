//! What the TOML parser and serde say of a mistake, in words for the author of a scenario.

use std::borrow::Cow;
use std::ops::Range;

use super::roots::{Root, deepest};
use super::slips;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::suggest::did_you_mean;

/// The tables of a file, which stand at its end, and what each of them is for.
const TABLES: [(&str, &str); 4] = [
    ("agents", "[agents] with who acts: detection = \"Correlates alerts\""),
    ("phases", "[[phases]] with the parts of the incident: name = \"detect\", at = \"0s\""),
    ("steps", "[[steps]] with what the agents do: id, at or after, agent, action, summary"),
    ("resolution", "[resolution] with how it ends: at = \"3m\", summary = \"…\""),
];

/// The single keys of a file, and what each of them looks like.
const KEYS: [(&str, &str); 5] = [
    ("id", "\"slow-shop\""),
    ("title", "\"The shop is slow\""),
    ("severity", "\"SEV2\""),
    ("services", "[\"shop\"]"),
    ("target", "\"15m\""),
];

/// How the TOML parser begins to tell a mistake in the syntax, what is said instead, if its words are not an author's, and
/// what to do.
const SYNTAX: [(&str, &str, &str); 9] = [
    ("duplicate key", "", "a key stands once in a table: leave one of them out"),
    (
        "invalid basic string, expected `\"`",
        "a text is not closed",
        "it ends on its line, with the quote that it begins with: \"30s\"",
    ),
    (
        "unclosed array table",
        "a header is not closed",
        "the header of a list has two brackets on both sides: [[steps]]",
    ),
    (
        "unclosed table",
        "a header is not closed",
        "the header of a table has a bracket on both sides: [resolution]",
    ),
    (
        "unexpected key or value, expected newline",
        "a line goes on after its value",
        "end the line after the value; a note begins with `#`, and a text with `'` in it stands in double quotes",
    ),
    ("extra `=`", "a second `=`", "a key has one value: KEY = VALUE"),
    (
        "invalid boolean",
        "this is neither true nor false, a number nor a text",
        "write true or false in small letters, a number, or a text in quotes",
    ),
    ("`_` may only go between digits", "", "write the number without `_`"),
    ("unclosed array", "a list is not closed", "it ends with a bracket: [\"shop\", \"cart\"]"),
];

/// How the parser begins to tell that a line is no TOML at all.
const NO_TOML: [&str; 2] = ["invalid unquoted key", "key with no value"];

/// What a file looks like.
pub(super) const LIKE_TOML: &str = "a scenario is TOML: KEY = VALUE, as in title = \"The shop is slow\"";

/// How it is told that a text has no quotes. The help repeats the text.
pub(in crate::scenario) const UNQUOTED: &str = "a text must be in quotes";

/// What a type of the file is called by serde, and how it is written.
const TYPES: [(&str, &str); 17] = [
    ("f64", "a number"),
    ("u64", "a whole number, 0 or more"),
    ("u32", "a whole number from 0 to 4294967295"),
    ("a string", "a text in quotes"),
    ("string or table", "a text in quotes"),
    ("a boolean", "true or false"),
    ("a map", "a table: { … }"),
    ("a sequence", "a list: [ … ]"),
    ("struct Retry", "a table: { times = 2, backoff = \"5s\" }"),
    ("struct Forecast", "a table: { quantity = \"time_to_resolve\", unit = \"s\", p50 = 165 }"),
    ("struct Repeat", "a table: { every = \"30s\", times = 4 }"),
    ("struct Evidence", "a table: { kind = \"metric\", ref = \"NAME\", value = 0.3 }"),
    ("struct Metric", "a table: { unit = \"ms\", keys = { 0s = 180, 30s = 4000 } }"),
    ("struct Cost", "a table: { currency = \"USD\", per_minute = { all = 900 } }"),
    ("struct Range", "a table: { min = \"5s\", max = \"10s\" }"),
    ("struct Bounds", "a table: { min = \"5s\", max = \"10s\" }"),
    ("struct Counts", "a table: { min = 1, max = 3 }"),
];

/// How a missing key is told, and several of them.
const MISSING: &str = "missing field";

/// A mistake in the syntax. `like` says what the file looks like.
pub(super) fn of_syntax(root: &Root, text: &str, like: &str) -> Diagnostic {
    let error = match root {
        Root::Told(error) => error,
        Root::Unclosed { bracket, at } => {
            let (what, closes, example) = match bracket {
                '[' => ("a list", ']', "[\"shop\", \"cart\"]"),
                _ => ("a table", '}', "{ 0s = 180, 30s = 4000 }"),
            };
            let message = format!("{what} is not closed");
            let help = format!("what `{bracket}` opens ends with `{closes}`, as in {example}");
            return Diagnostic::new(*at..at + 1, message, "opened here").help(help);
        }
    };
    let message = message_of(error);
    let span = error.span().unwrap_or(0..0);
    if message.starts_with("recursion limit") {
        let help = "a key has a few parts at most, and a list or a table is in a few others";
        return Diagnostic::new(deepest(text), "this is nested too deeply", "here").help(help);
    }
    if message.starts_with("string values must be quoted")
        && text.get(span.start..).unwrap_or_default().starts_with(['\n', '\r'])
    {
        let help = "a value stands on the line of its key: target = \"15m\"";
        return Diagnostic::new(span, "the value is missing", "here").help(help);
    }
    if let Some(slip) = slips::slip(&message, &span, text) {
        return slip;
    }
    let known = SYNTAX.iter().find(|(start, ..)| message.starts_with(start));
    let (message, help) = if let Some((_, told, help)) = known {
        (if told.is_empty() { message } else { (*told).to_owned() }, Some((*help).to_owned()))
    } else if message.starts_with("string values must be quoted") {
        // The parser adds which kind of text it expected, which no author has to know.
        (UNQUOTED.to_owned(), slips::quoted(&span, text))
    } else {
        let says_nothing = NO_TOML.iter().any(|start| message.starts_with(start));
        (message, says_nothing.then(|| like.to_owned()))
    };
    let diagnostic = Diagnostic::new(span, message, "here");
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn message_of(error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', ": ");
    if message == "integer number overflowed" || message == "floating-point number overflowed" {
        "a number is too large".to_owned()
    } else {
        message
    }
}

/// A mistake in the types: a wrong value, or a key that is not known.
pub(super) fn of_types(error: &toml::de::Error, span: Range<usize>, text: &str) -> Diagnostic {
    of_types_as_told(&message_of(error), span, text)
}

/// A list where a table belongs, which the schema calls by that name.
pub(super) fn of_list(table: &str, span: Range<usize>, text: &str) -> Diagnostic {
    of_types_as_told(&format!("invalid type: sequence, expected struct {table}"), span, text)
}

/// A mistake in the types, as serde tells it.
fn of_types_as_told(message: &str, span: Range<usize>, text: &str) -> Diagnostic {
    let written = text.get(span.clone()).unwrap_or_default();
    if let Some((message, help)) = wrong_brackets(message, written) {
        return Diagnostic::new(span, message, "here").help(help);
    }
    if message.starts_with("unknown field `$__toml_private_datetime`") {
        let help = format!("write it as a text, in quotes: \"{written}\"");
        return Diagnostic::new(span, "a date or a time can't stand here", "here").help(help);
    }
    let help = dotted(written, text.get(span.end..).unwrap_or_default())
        .or_else(|| slips::of_type(message, &span, text))
        .or_else(|| unknown_name(message))
        .or_else(|| without_unit(message, written))
        .or_else(|| wrong_value(message, written));
    // The language has variants of its own.
    let message = message.replacen("unknown variant `", "unknown value `", 1);
    let diagnostic = Diagnostic::new(span, with_known_types(message, written), "here");
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The keys that a table can have, if an error is that it has another one.
pub(super) fn expected_keys(error: &toml::de::Error) -> Option<Vec<&str>> {
    let (_, rest) = error.message().trim().strip_prefix("unknown field `")?.split_once("`, expected ")?;
    Some(rest.split('`').skip(1).step_by(2).collect())
}

/// A key that is not known, as `error` is of another key of the same table.
pub(super) fn of_unknown(key: &str, error: &toml::de::Error, span: Range<usize>, text: &str) -> Diagnostic {
    let message = message_of(error);
    let rest = message.rfind("`, expected ").map_or("`", |end| &message[end..]);
    of_types_as_told(&format!("unknown field `{key}{rest}"), span, text)
}

/// A key that has to be there. `table` is the place of its table; `None` for the file itself.
pub(super) fn of_missing(key: &str, table: Option<Range<usize>>, text: &str) -> Diagnostic {
    let message = format!("{MISSING} `{key}`");
    let about = TABLES.iter().find(|(name, _)| *name == key).map(|(_, about)| *about);
    match (table, about) {
        (Some(table), _) => Diagnostic::new(table, message, format!("`{key}` is missing in here")),
        (None, Some(about)) => {
            let end = text.trim_end().len();
            Diagnostic::new(end.saturating_sub(1)..end, message, "the file ends here")
                .help(format!("add {about}"))
        }
        (None, None) => {
            let begin = text.find(|c: char| !c.is_whitespace()).unwrap_or_default();
            Diagnostic::new(begin..begin, message, "the file begins here")
                .help(format!("add `{key} = {}` above the first table", like(key)))
        }
    }
}

/// An example of a key's value.
fn like(key: &str) -> &'static str {
    KEYS.iter().find(|(name, _)| *name == key).map_or("…", |(_, value)| value)
}

/// Says how to begin a file that has nothing in it.
pub(super) fn of_empty(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if let Some(first) = found.first_mut() {
        let help = first.help.take().unwrap_or_default();
        first.help = Some(format!("`incident new NAME` writes a whole scenario to begin with; or\n{help}"));
    }
    found
}

/// Keys that are missing at the same place are one mistake, and so is one that was found twice: a variant's patch is a part
/// of the variant and of what it changes.
pub(super) fn together(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        if kept.contains(&diagnostic) {
            continue;
        }
        let missing = |diagnostic: &Diagnostic| diagnostic.message.starts_with(MISSING);
        let same = kept
            .iter_mut()
            .find(|other| missing(&diagnostic) && missing(other) && other.span == diagnostic.span);
        let Some(other) = same else {
            kept.push(diagnostic);
            continue;
        };
        let key = diagnostic.message.trim_start_matches(MISSING);
        other.message = format!("{}, {}", other.message.replacen("field ", "fields ", 1), key.trim_start());
        if let (Some(help), Some(more)) = (&mut other.help, &diagnostic.help) {
            *help = format!("{help}\n{more}");
        }
    }
    kept
}

/// serde: unknown field `sumary`, expected one of `id`, `at`, …
fn unknown_name(message: &str) -> Option<String> {
    let mut names = message.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    if message.starts_with("unknown field") {
        return did_you_mean(wrong, names).map(|near| format!("did you mean `{near}`?"));
    }
    if message.starts_with("unknown variant") {
        let names: Vec<&str> = names.collect();
        if let Some(near) = did_you_mean(wrong, names.iter().copied()) {
            return Some(format!("did you mean `{near}`?"));
        }
        if names.first() == Some(&"SEV1") {
            return Some("SEV1 is the worst, SEV5 the least".to_owned());
        }
    }
    None
}

/// A table that is written as an entry of a list, or a list that is written as a table.
fn wrong_brackets(message: &str, written: &str) -> Option<(String, String)> {
    if !message.starts_with("invalid type: ") {
        return None;
    }
    let is_plain = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let named = |begin, end| {
        let name = written.strip_prefix(begin).and_then(|rest: &str| rest.strip_suffix(end));
        name.filter(|name| !name.is_empty() && name.chars().all(is_plain))
    };
    if let Some(name) = named("[[", "]]") {
        return Some((format!("`{name}` is no list"), format!("write [{name}], with single brackets")));
    }
    let name = named("[", "]")?;
    let is_list = message.starts_with("invalid type: map, expected a sequence");
    is_list.then(|| {
        let help = format!("write [[{name}]], with two brackets, above each of them");
        (format!("`{name}` is a list"), help)
    })
}

/// serde: invalid type: string "97%", expected f64
fn with_known_types(message: String, written: &str) -> String {
    let wrong = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, wanted)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message;
    };
    let digits = written.trim_start_matches('-').bytes().filter(u8::is_ascii_digit).count();
    if matches!(wanted, "f64" | "u64" | "u32") && digits > 18 && written.parse::<i64>().is_err() {
        return format!("the number {written} is too large");
    }
    let name = wanted.strip_suffix("File").or_else(|| wanted.strip_suffix("Table")).unwrap_or(wanted);
    let known = TYPES.iter().find(|(known, _)| *known == name).map(|(_, told)| *told);
    let wanted = known.unwrap_or(if wanted.starts_with("struct ") { "a table: { … }" } else { wanted });
    format!("expected {wanted}, not {}", found_as(found, written))
}

/// What serde calls a value, in the words of the format.
fn found_as<'a>(found: &'a str, written: &str) -> Cow<'a, str> {
    let number = found.strip_prefix("integer `").or_else(|| found.strip_prefix("floating point `"));
    if let Some(number) = number.and_then(|number| number.split('`').next()) {
        return format!("the number {number}").into();
    }
    if let Some(value) = found.strip_prefix("boolean `").and_then(|value| value.strip_suffix('`')) {
        return value.into();
    }
    match found {
        "sequence" => "a list".into(),
        // The parser hands over a date as a table of its own.
        "map" if written.starts_with(|c: char| c.is_ascii_digit()) => "a date or a time".into(),
        "map" => "a table".into(),
        found => found.strip_prefix("string ").map_or(found.into(), |text| format!("the text {text}").into()),
    }
}

/// What to write instead of a key such as `0.5s`, which TOML reads as a key `5s` in a table `0`.
fn dotted(written: &str, rest: &str) -> Option<String> {
    let rest = rest.strip_prefix('.')?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let is_number = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    let key = format!("{written}.{}", &rest[..end]);
    (is_number && rest.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| format!("TOML takes the dot for a table in a table: write \"{key}\", with quotes"))
}

/// What to write instead of a duration that is a bare number.
fn without_unit(message: &str, written: &str) -> Option<String> {
    let number = written.trim_matches('"');
    let bare = message.contains("a duration") && number.parse::<f64>().is_ok_and(|number| number >= 0.0);
    bare.then(|| format!("write it with quotes and a unit: \"{number}s\""))
}

/// How it is told that a value has the name of a parameter in it that is not declared.
pub(super) const UNDECLARED: &str = "no parameter is called ";

/// What to write instead of a value that is quoted by mistake.
fn wrong_value(message: &str, written: &str) -> Option<String> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?.trim();
    if let Some(name) = inner.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return Some(format!("{UNDECLARED}{name:?}: declare it in [parameters]"));
    }
    let wants = |names: &[&str]| names.iter().any(|name| message.ends_with(&format!("expected {name}")));
    let is_number = wants(&["f64"]) && inner.parse::<f64>().is_ok_and(f64::is_finite)
        || wants(&["u64", "u32"]) && inner.parse::<u32>().is_ok();
    is_number.then(|| format!("leave out the quotes: {inner}"))
}
