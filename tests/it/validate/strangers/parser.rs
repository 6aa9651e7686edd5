//! The parser of event streams, by the examples and rules of WHATWG HTML (9.2.5, 9.2.6).

use incident::client::{EventParser, Parsed};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use proptest::prop_assert_eq;

fn parse(bytes: &[u8]) -> (Vec<Parsed>, String, bool) {
    parse_in(&[bytes])
}

fn parse_in(pieces: &[&[u8]]) -> (Vec<Parsed>, String, bool) {
    let mut parser = EventParser::default();
    let mut parsed = Vec::new();
    for piece in pieces {
        parser.feed(piece).unwrap();
        parsed.extend(std::iter::from_fn(|| parser.take()));
    }
    (parsed, parser.last_id().to_owned(), parser.is_unfinished())
}

fn event(data: &str) -> Parsed {
    Parsed::Event { data: data.to_owned(), id: None, name: String::new() }
}

fn with_id(data: &str, id: &str) -> Parsed {
    Parsed::Event { data: data.to_owned(), id: Some(id.to_owned()), name: String::new() }
}

fn named(data: &str, name: &str) -> Parsed {
    Parsed::Event { data: data.to_owned(), id: None, name: name.to_owned() }
}

fn comment(text: &str) -> Parsed {
    Parsed::Comment(text.to_owned())
}

#[test]
fn the_examples_of_the_specification() {
    let table: Vec<(&str, Vec<Parsed>)> = vec![
        ("data: YHOO\ndata: +2\ndata: 10\n\n", vec![event("YHOO\n+2\n10")]),
        (
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            vec![
                comment("test stream"),
                with_id("first event", "1"),
                with_id("second event", ""),
                event(" third event"),
            ],
        ),
        // The last block is not complete.
        ("data\n\ndata\ndata\n\ndata:", vec![event(""), event("\n")]),
        ("data:test\n\ndata: test\n\n", vec![event("test"), event("test")]),
        (
            "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
            vec![named("73857293", "add"), named("2153", "remove")],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text.as_bytes()).0, expected, "{text:?}");
    }
}

#[test]
fn every_rule_of_the_format() {
    let table: Vec<(&[u8], Vec<Parsed>)> = vec![
        // Each end of a line, and a mixture.
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", vec![event("a"), event("b"), event("c")]),
        (b"data: a\r\n\rdata: b\n\r", vec![event("a"), event("b")]),
        // A byte order mark at the beginning, and nowhere else.
        (b"\xef\xbb\xbfdata: a\n\n", vec![event("a")]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", vec![event("a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", vec![]),
        // An id with a NULL is ignored, the one before counts.
        (b"id: 7\ndata: a\n\nid: 8\x00\ndata: b\n\n", vec![with_id("a", "7"), event("b")]),
        // Only digits are a time to wait.
        (b"retry: 1500\nretry: 1.5\nretry: -3\nretry:\nretry: 9x\n", vec![Parsed::Retry(1500)]),
        // Names of fields are exact; others are ignored.
        (b"Data: a\ndata : b\n data: c\ndate: d\n\n", vec![]),
        // Only one space is taken away, and a colon may be in the value.
        (b"data:  a:b\n\n", vec![event(" a:b")]),
        // A name without data is no event, and does not stay for the next one.
        (b"event: x\n\ndata: a\n\n", vec![event("a")]),
        (b"event: x\nevent: y\ndata: a\n\n", vec![named("a", "y")]),
        (b":\n:x\n: y\n", vec![comment(""), comment("x"), comment("y")]),
        (b"data: \xff\n\n", vec![Parsed::InvalidUtf8, event("\u{fffd}")]),
    ];
    for (bytes, expected) in table {
        assert_eq!(parse(bytes).0, expected, "{:?}", String::from_utf8_lossy(bytes));
    }
    // The id of a block without data counts too, and an empty one clears it.
    assert_eq!(parse(b"id: 5\n\n").1, "5");
    assert_eq!(parse(b"id: 5\ndata: a\n\nid\ndata: b\n\n").1, "");
    // What is not complete counts for nothing.
    assert!(parse(b"data: a\n").2 && parse(b"data: a\n\nda").2 && !parse(b"data: a\n\n: x\n").2);
}

#[test]
fn what_is_too_large_is_not_kept() {
    assert!(EventParser::default().feed(&vec![b'x'; 2 << 20]).is_err());
    let lines = b"data: 0123456789\n".repeat(200_000);
    assert!(EventParser::default().feed(&lines).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// It does not matter how the stream is cut into pieces.
    #[test]
    fn pieces_do_not_matter(
        lines in prop::collection::vec("(data|id|event|retry|x|\u{feff}data)?:? ?[a-z0-9:é\u{0}]{0,6}(\r|\n|\r\n)", 0..30),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let text: String = lines.concat();
        let bytes = text.as_bytes();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(parse_in(&pieces), parse(bytes));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(parse_in(&single), parse(bytes));
    }
}
