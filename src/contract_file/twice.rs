//! Keys that occur twice in one object of a JSON text: readers of JSON take one of the two, and not all the same one. YAML refuses them.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::json_schema::words::quoted;
use crate::unread_json::without_place;

/// What is wrong with a text that is JSON, and the line: its first key that is there twice.
pub(super) fn twice(text: &str) -> Option<(usize, String)> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let error = Once.deserialize(&mut reader).err()?;
    Some((error.line(), without_place(&error)))
}

/// Reads a value, keeps nothing of it, and refuses a key that the object has already.
struct Once;

impl<'de> DeserializeSeed<'de> for Once {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format!(
                    "the key {} is here for the second time",
                    quoted(&key)
                )));
            }
            keys.insert(key);
            entries.next_value_seed(Self)?;
        }
        Ok(())
    }
}
