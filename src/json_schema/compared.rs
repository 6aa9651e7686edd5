//! What a contract compares with a number that was rounded when it was read.

use serde_json::{Number, Value};

use super::exact::KEYWORDS;
use super::pointer::join;
use super::positions::visit;
use super::rounded::Rounded;
use super::understood::LeftOut;

/// Why something is not checked.
const WHY: &str = "the number has been rounded when it was read";

/// The keywords of a document that compare with such a number.
pub fn left_out(rounded: &Rounded, document: &Value) -> Vec<LeftOut> {
    let mut all = Vec::new();
    if rounded.is_empty() {
        return all;
    }
    visit(document, &mut |schema, at| {
        let values = KEYWORDS.iter().map(|(keyword, _)| *keyword).chain(["const", "enum"]);
        for (keyword, value) in values.filter_map(|keyword| Some((keyword, schema.get(keyword)?))) {
            if let Some(number) = within(rounded, value) {
                let what = format!("`{keyword}` {number} to the last digit");
                all.push(LeftOut { what, pointer: join(at, keyword), why: WHY.to_owned() });
            }
        }
    });
    all
}

/// The first such number in a value.
pub(super) fn within<'v>(rounded: &Rounded, value: &'v Value) -> Option<&'v Number> {
    match value {
        Value::Number(number) => Some(number).filter(|number| rounded.has(number)),
        Value::Array(items) => items.iter().find_map(|item| within(rounded, item)),
        Value::Object(members) => members.values().find_map(|member| within(rounded, member)),
        _ => None,
    }
}
