//! "Did you mean": the known name that is most like an unknown one.

/// Longer names, in bytes, are not compared: the time for that grows with the product of both lengths.
const LONGEST: usize = 200;

/// The candidate that `name` is most like, if one is alike enough to be suggested.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
