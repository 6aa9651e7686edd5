//! Which mistakes in the syntax of a file are its author's: one missing bracket makes the parser find a mistake in each line
//! that follows. So the statement in which the first mistake stands is taken out, and the rest is parsed again.

use std::ops::Range;

use toml::de::DeTable;

/// The most bytes that are parsed: the text is parsed again after each mistake.
const MOST_READ: usize = 64 * 1024 * 1024;

/// The first mistake of a long text is looked for in so many bytes first.
const BEGINNING: usize = 256 * 1024;

/// A mistake from which no other one in the list follows.
pub(super) enum Root {
    /// What the parser says.
    Told(toml::de::Error),
    /// A bracket that nothing closes before the next key or header.
    Unclosed { bracket: char, at: usize },
}

/// The mistakes of a text that is not TOML, at most that many.
pub(super) fn roots(text: &str, most: usize) -> Vec<Root> {
    let mut left = text.to_owned();
    let mut found = Vec::new();
    let most = most.min(MOST_READ / text.len().max(1)).max(1);
    while found.len() < most {
        let in_beginning = first_in_beginning(&left, BEGINNING);
        let Some(first) = in_beginning.or_else(|| first(&left)) else { break };
        let place = first.span().unwrap_or_else(|| deepest(&left)).start;
        let statement = statement_at(&left, place);
        let range = statement.range.clone();
        found.push(match statement.unclosed {
            Some((bracket, at)) => Root::Unclosed { bracket, at },
            None => Root::Told(first),
        });
        if left[range.clone()].trim().is_empty() {
            break;
        }
        if statement.is_header {
            take_header(&mut left, range);
        } else {
            let blank = blanked(&left[range.clone()]);
            left.replace_range(range, &blank);
        }
    }
    found
}

/// The first mistake of a text. The parser tells those of the grammar before those of values and of keys that stand twice: so what stands
/// before the one that it tells first is parsed again.
fn first(text: &str) -> Option<toml::de::Error> {
    let told = DeTable::parse(text).err()?;
    let place = told.span().unwrap_or_else(|| deepest(text)).start;
    let rest = text.get(place..).unwrap_or_default();
    let end = text.len() - rest.find('\n').map_or(0, |end| rest.len() - end - 1);
    let before = |error: &toml::de::Error| error.span().is_some_and(|span| span.start < place);
    let errors = DeTable::parse_recoverable(&text[..end]).1.into_iter().filter(before);
    errors.min_by_key(|error| error.span().map(|span| span.start)).or(Some(told))
}

/// The first mistake of a text, if it is found far before the end of so many bytes: where they end the parser finds mistakes that the text
/// has not.
fn first_in_beginning(text: &str, length: usize) -> Option<toml::de::Error> {
    let end = text.as_bytes().get(..length)?.iter().rposition(|byte| *byte == b'\n')? + 1;
    let error = first(&text[..end])?;
    let span = error.span().filter(|span| span.end <= length / 2)?;
    (statement_at(text, span.start).range.end < end).then_some(error)
}

/// The line with the most brackets and dots. The parser does not say where it gave up.
pub(super) fn deepest(text: &str) -> Range<usize> {
    let mut begin = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        begin += line.len();
        begin - line.len()..begin - line.len() + line.trim_end().len()
    });
    let nested = |line: &Range<usize>| {
        let text = &text[line.clone()];
        text.matches(['.', '[', '{']).count()
    };
    lines.max_by_key(nested).unwrap_or(0..0)
}

/// A text of as many bytes, with the same lines, that says nothing.
fn blanked(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// Puts another header of as many bytes in the place of one, so that the keys below it are not taken for those of the table
/// above it. Where there is no room for one, the keys are taken out too.
fn take_header(text: &mut String, mut range: Range<usize>) {
    let line = text[range.clone()].lines().next().map_or(0, |line| line.trim_end().len());
    let stand_in = line.checked_sub("[[]]".len()).filter(|room| *room > 0);
    let begin = match stand_in {
        Some(room) => format!("[[{}]]", "_".repeat(room)),
        None => {
            while range.end < text.len() && !is_header_line(&text[range.end..]) {
                range.end += text[range.end..].find('\n').map_or(text.len() - range.end, |end| end + 1);
            }
            String::new()
        }
    };
    let rest = blanked(&text[range.start + begin.len()..range.end]);
    text.replace_range(range, &(begin + &rest));
}

/// A header or a key with its value, or what should be one.
struct Statement {
    range: Range<usize>,
    is_header: bool,
    /// The innermost bracket that is not closed, and its place.
    unclosed: Option<(char, usize)>,
}

/// The statement in which a mistake at that place has its cause. The parser finds an open bracket only where the next statement
/// begins.
fn statement_at(text: &str, place: usize) -> Statement {
    let mut start = 0;
    loop {
        let statement = statement(text, start);
        let end = statement.range.end;
        let reaches = place < end || (place == end && statement.unclosed.is_some());
        if reaches || end >= text.len() {
            return statement;
        }
        start = end;
    }
}

/// The statement that begins there, with the lines after it that begin none.
fn statement(text: &str, start: usize) -> Statement {
    let is_header = text[start..].trim_start_matches([' ', '\t']).starts_with('[');
    let mut brackets: Vec<(char, usize)> = Vec::new();
    // A bracket that another one has closed.
    let mut wrong = None;
    let mut at = start;
    let mut is_cut = false;
    loop {
        let rest = &text[at..];
        let Some(next) = rest.chars().next() else { break };
        match next {
            '"' | '\'' => {
                let (length, is_closed) = quoted(rest, next);
                is_cut |= !is_closed;
                at += length;
            }
            '#' => at += rest.find('\n').unwrap_or(rest.len()),
            '\n' => {
                at += 1;
                let line = &text[at..];
                // What is open there may be closed in a text whose quote is missing.
                if is_cut && starts_statement(line) {
                    brackets.clear();
                    break;
                }
                let ends = match brackets.last() {
                    None => true,
                    Some(('[', _)) => starts_statement(line),
                    Some((_, open)) => {
                        is_header_line(line) || (starts_key(line) && is_begun(&text[*open + 1..at]))
                    }
                };
                if ends {
                    break;
                }
            }
            '[' | '{' => {
                brackets.push((next, at));
                at += 1;
            }
            ']' | '}' => {
                let opens = if next == ']' { '[' } else { '{' };
                if let Some(place) = brackets.iter().rposition(|(open, _)| *open == opens) {
                    if place + 1 < brackets.len() && wrong.is_none() {
                        wrong = brackets.last().copied();
                    }
                    brackets.truncate(place);
                }
                at += 1;
            }
            _ => at += next.len_utf8(),
        }
    }
    let unclosed = wrong.or(brackets.last().copied()).filter(|_| !is_header && !is_cut);
    // Lines that begin no statement belong to a value that was broken before them.
    while at < text.len() && !starts_statement(&text[at..]) {
        at += text[at..].find('\n').map_or(text.len() - at, |end| end + 1);
    }
    Statement { range: start..at, is_header, unclosed }
}

/// The bytes of the quoted text at the beginning, and whether it is closed.
fn quoted(text: &str, quote: char) -> (usize, bool) {
    let triple = quote.to_string().repeat(3);
    let (end, begin, over_lines) =
        if text.starts_with(&triple) { (triple.as_str(), 3, true) } else { (&triple[..1], 1, false) };
    let mut at = begin;
    while let Some(next) = text[at..].chars().next() {
        if text[at..].starts_with(end) {
            return (at + end.len(), true);
        }
        if next == '\n' && !over_lines {
            return (at, false);
        }
        at += next.len_utf8();
        if next == '\\' && quote == '"' {
            at += text[at..].chars().next().filter(|next| *next != '\n').map_or(0, char::len_utf8);
        }
    }
    (at, false)
}

/// Whether a table that has begun has something in it on its first line, and no comma where it stands now: its author closes it
/// on that line.
fn is_begun(inner: &str) -> bool {
    let first = inner.lines().next().unwrap_or_default().trim();
    !first.is_empty() && !first.starts_with('#') && !inner.trim_end().ends_with(',')
}

fn starts_statement(line: &str) -> bool {
    is_header_line(line) || starts_key(line)
}

/// Whether a line is a header such as `[[steps]]`, and not an element of a list.
fn is_header_line(line: &str) -> bool {
    let line = line.lines().next().unwrap_or_default().trim();
    let line = line.split('#').next().unwrap_or_default().trim_end();
    let inner = line.trim_start_matches('[');
    let is_name = |c: char| c.is_alphanumeric() || "-_. \"'".contains(c);
    inner.len() < line.len()
        && inner.starts_with(char::is_alphabetic)
        && inner.trim_end_matches(']').chars().all(is_name)
}

/// Whether a line begins with a key: `at = `.
fn starts_key(line: &str) -> bool {
    let line = line.lines().next().unwrap_or_default().trim_start();
    let Some((key, _)) = line.split_once('=') else { return false };
    let key = key.trim_end();
    !key.is_empty()
        && key.chars().all(|c| c.is_alphanumeric() || "-_.\"' ".contains(c))
        && !key.contains(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        roots(text, 50)
            .iter()
            .map(|root| match root {
                Root::Unclosed { bracket, at } => format!("{}: {bracket}", line(*at)),
                Root::Told(error) => line(error.span().map_or(0, |span| span.start)).to_string(),
            })
            .collect()
    }

    #[test]
    fn one_broken_bracket_or_quote_is_one_mistake() {
        let rest = "\n[[steps]]\nid = \"a\"\nat = \"1s\"\n[[steps]]\nid = \"b\"\nlist = [\n  1,\n]\n";
        for (broken, wanted) in [
            ("a = { b = 1, c = 2\n", "1: {"),
            ("a = { b = { c = 2 }\nd = 1\n", "1: {"),
            ("a = [1, 2\n", "1: ["),
            ("a = [\n  1,\n  2,\nb = 3\n", "1: ["),
            ("a = [{ b = 1, { b = 2 }]\n", "1: {"),
            ("a = 1, 2]\n", "1"),
            ("a = \n  \"x\",\n  \"y\",\n]\n", "1"),
            ("a = [\"x, \"y\"]\n", "1"),
            ("a = { b = \"x }\n", "1"),
            ("a = b\"\n", "1"),
            ("a =\n", "1"),
            ("[[table]\nb = 1\nid = 2\n", "1"),
            ("[table\nb = 1\nid = 2\n", "1"),
            ("[[\nb = 1\nid = 2\n", "1"),
            ("words\n", "1"),
            ("x = 1\nx = 2\n", "2"),
        ] {
            assert_eq!(told(&format!("{broken}{rest}")), [wanted], "{broken}");
        }
    }

    #[test]
    fn what_is_wrong_elsewhere_is_told_too() {
        let text = "a = [1\n[x]\nb = { c = 1\nd = \"x\ne = 1\n[[yy]\ne = 2\ne = 3\n";
        assert_eq!(told(text), ["1: [", "3: {", "4", "6", "8"]);
    }

    #[test]
    fn a_mistake_in_the_beginning_is_found_without_the_rest_and_where_the_beginning_ends_there_is_none() {
        let first = |text: &str| Some(first_in_beginning(text, 64)?.span()?.start);
        let broken = "a = = 1\n";
        let line = "b = 1\n";
        assert_eq!(first(&format!("{broken}{}", broken.repeat(30))), Some(4));
        assert_eq!(first(&format!("{line}{broken}{}", line.repeat(30))), Some(10), "a key twice comes later");
        assert_eq!(first(broken), None, "it is short");
        for open in ["a = [\n", "a = {\n", "a = \"\"\"\n", "a = '''\n", "a = [{\n"] {
            assert_eq!(first(&format!("{open}{}", "  1,\n".repeat(30))), None, "{open}");
        }
        let keys: String = (0..30).map(|n| format!("key-{n} = 1\n")).collect();
        assert_eq!(first(&keys), None);
    }

    /// Although the parser tells the others first.
    #[test]
    fn wrong_values_and_keys_that_stand_twice_are_found_before_what_follows() {
        assert_eq!(told("a = 1__1\nb = 2\nb = 3\nc = = 4\n[d\n"), ["1", "3", "4", "5"]);
    }

    #[test]
    fn any_text_ends() {
        for text in
            ["", "\n", "[", "]", "\"", "\"\"\"", "é = [", "=", "[[é]", "a = '''\n", "\r\n[\r\n", "{\n\n"]
        {
            assert!(roots(text, 50).len() <= 2, "{text:?}");
        }
    }
}
