//! The parameters of a query, and what is wrong with them.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use crate::scenario::did_you_mean;

/// The longest name that is repeated: shorter than a token, which may have been put in the place of a name.
const SHOWN: usize = 15;

/// Every name and value of a query, in order.
pub(in crate::server) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The only parameter that a path takes.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// What its value may be.
    pub(super) is: &'static str,
}

impl Parameter {
    /// Its value, if it is there.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) fn read<T>(
        &self,
        pairs: Pairs,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Self { name, is } = self;
        let Query(pairs) = pairs.map_err(|_| format!("the query can't be read; it may have {name}: {is}"))?;
        if let Some((other, _)) = pairs.iter().find(|(other, _)| other != name) {
            let hint = match did_you_mean(other, [*name]) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("the only one is {name}: {is}"),
            };
            return Err(if is_shown(other) {
                format!("the query has no parameter {other:?}: {hint}")
            } else {
                format!("the query has a parameter that this path does not take: {hint}")
            });
        }
        match &pairs[..] {
            [] => Ok(None),
            [(_, value)] => {
                // The value may be anything, such as a token that was put in the wrong place.
                let wrong = || format!("{name} in the query must be {is}");
                parse(value).map(Some).ok_or_else(wrong)
            }
            _ => Err(format!("{name} is in the query more than once; send it once: {is}")),
        }
    }
}

/// Whether it looks like the name of a parameter.
fn is_shown(name: &str) -> bool {
    name.len() <= SHOWN && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal is logged.
    #[test]
    fn a_token_in_the_place_of_a_name_is_not_repeated() {
        let parameter = Parameter { name: "after", is: "a number" };
        let told = |name: &str| {
            let pairs = Ok(Query(vec![(name.to_owned(), String::new())]));
            parameter.read(pairs, |text| text.parse::<u64>().ok()).err().unwrap_or_default()
        };
        for token in ["0123456789abcdef", "abcdefghijklmnop", "t0ken", "a\u{1b}b"] {
            assert!(told(token).starts_with("the query has a parameter that"), "{}", told(token));
            assert!(!told(token).contains(token), "{}", told(token));
        }
        assert!(told("aftre").contains("no parameter \"aftre\": did you mean after?"));
    }
}
