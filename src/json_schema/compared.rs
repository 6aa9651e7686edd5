//! What a contract compares with a number that was rounded when it was read.

use serde_json::Value;

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
            if let Some(number) = rounded.within(value) {
                let what = format!("`{keyword}` {number} to the last digit");
                all.push(LeftOut { what, pointer: join(at, keyword), why: WHY.to_owned() });
            }
        }
    });
    all
}
