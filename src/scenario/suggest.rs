//! "Did you mean": the known name that is most like an unknown one, and the known names if none is like it.

/// Longer names, in bytes, are not compared: the time for that grows with the product of both lengths.
const LONGEST: usize = 100;

/// The bytes of all names that one name is compared with.
const MOST: usize = 8 * 1024;

/// How many names are listed.
const LISTED: usize = 10;

/// The longest name that is shown whole, in characters.
const SHOWN: usize = 80;

/// The candidate that `name` is most like, if one is alike enough to be suggested. Of many candidates only the first are
/// compared.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    let mut left = MOST;
    candidates
        .into_iter()
        // However long it is, it is looked at.
        .map_while(|candidate| {
            left = left.checked_sub(candidate.len().clamp(1, LONGEST))?;
            Some(candidate)
        })
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// `a, b and 3 more`: the first names of a list.
pub(super) fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(LISTED);
    let first: Vec<String> = names.iter().take(LISTED).map(|name| shortened(name)).collect();
    let first = first.join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

/// A name as it is quoted: the end of a long one is cut.
pub(super) fn shortened(name: &str) -> String {
    match name.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    }
}
