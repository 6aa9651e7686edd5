//! A value that is one of some words, such as `SEV1`: of everything else, a mistake says which words there are.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, de};

/// One of the words of an enum without fields.
pub struct OneOf<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Word<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Serde lists the words in what it says of a wrong one.
                let wrong = T::deserialize(de::value::StrDeserializer::<de::value::Error>::new(""));
                let told = wrong.err().map(|error| error.to_string()).unwrap_or_default();
                f.write_str(told.split_once(", expected ").map_or("a text in quotes", |(_, words)| words))
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<T, E> {
                T::deserialize(de::value::StrDeserializer::new(word))
            }
        }
        // Any kind of value comes to the visitor, so that it is refused in these words.
        deserializer.deserialize_any(Word(PhantomData)).map(Self)
    }
}

/// For `deserialize_with`.
pub fn one_of<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    OneOf::deserialize(deserializer).map(|OneOf(value)| value)
}
