//! The formats of host names, addresses and identifiers with letters beyond ASCII (RFC 5890, 6531, 3987). Such a letter may stand
//! where an ASCII letter may, so a value is judged by the format for ASCII as if each was one; lengths are those in characters.
//! The full rules need tables that are larger than all of this program's own.

use std::error::Error;
use std::sync::LazyLock;

use boon::{Compiler, Format, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::formats::FORMATS as FORMATS_OF_ASCII;

/// Each of them beside the format for ASCII.
const FORMATS: [(Format, &str); 4] = [
    (Format { name: "idn-hostname", func: |value| judge(0, value) }, "hostname"),
    (Format { name: "idn-email", func: |value| judge(1, value) }, "email"),
    (Format { name: "iri", func: |value| judge(2, value) }, "uri"),
    (Format { name: "iri-reference", func: |value| judge(3, value) }, "uri-reference"),
];

/// The formats, for the validator.
pub(super) fn formats() -> impl Iterator<Item = Format> {
    FORMATS.iter().map(|(format, _)| *format)
}

/// A schema with each format for ASCII.
static PLAIN: LazyLock<Option<(Schemas, Vec<SchemaIndex>)>> = LazyLock::new(|| {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.enable_format_assertions();
    for format in FORMATS_OF_ASCII {
        compiler.register_format(format);
    }
    let indices = FORMATS.iter().map(|(_, plain)| {
        let url = format!("https://plain.example/{plain}");
        compiler.add_resource(&url, json!({ "format": plain })).ok()?;
        compiler.compile(&url, &mut schemas).ok()
    });
    let indices = indices.collect::<Option<_>>()?;
    Some((schemas, indices))
});

fn judge(place: usize, value: &Value) -> Result<(), Box<dyn Error>> {
    let (Value::String(text), Some((schemas, indices))) = (value, &*PLAIN) else { return Ok(()) };
    let plain: String = text.chars().map(|letter| if letter.is_ascii() { letter } else { 'a' }).collect();
    match schemas.validate(&Value::String(plain), indices[place]) {
        Ok(()) => Ok(()),
        Err(_) => Err(format!("no {}", FORMATS[place].0.name).into()),
    }
}
