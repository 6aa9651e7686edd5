//! Texts from events can be anything: a Markdown reader of somebody else's shows exactly them and nothing else.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use super::{act, end, recording, report, start, with};

/// With every extension that gives a character a meaning.
fn parse(markdown: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM;
    Parser::new_ext(markdown, options).collect()
}

/// The blocks alone, to which texts must add nothing.
fn blocks(markdown: &str) -> Vec<String> {
    let inline = |tag: &Tag| matches!(tag, Tag::Strong | Tag::Emphasis);
    let inline_end = |tag: &TagEnd| matches!(tag, TagEnd::Strong | TagEnd::Emphasis);
    let mut blocks = Vec::new();
    for event in parse(markdown) {
        match event {
            Event::Start(tag) if !inline(&tag) => blocks.push(format!("{tag:?}")),
            Event::End(tag) if !inline_end(&tag) => blocks.push(format!("/{tag:?}")),
            Event::Html(html) | Event::InlineHtml(html) => panic!("HTML: {html}\nin {markdown}"),
            Event::InlineMath(text) | Event::DisplayMath(text) => panic!("a formula: {text}\nin {markdown}"),
            Event::FootnoteReference(text) => panic!("a footnote: {text}\nin {markdown}"),
            Event::HardBreak | Event::Rule => panic!("{event:?} in {markdown}"),
            Event::TaskListMarker(done) => blocks.push(format!("task {done}")),
            _ => {}
        }
    }
    blocks
}

/// What is read of a part: between a start and its end.
fn read(markdown: &str, is: impl Fn(&Tag) -> bool) -> Vec<String> {
    let (mut texts, mut within): (Vec<String>, Option<TagEnd>) = (Vec::new(), None);
    for event in parse(markdown) {
        match event {
            Event::Start(tag) if within.is_none() && is(&tag) => {
                within = Some(tag.to_end());
                texts.push(String::new());
            }
            Event::End(tag) if within == Some(tag) => within = None,
            Event::Text(text) | Event::Code(text) if within.is_some() => *texts.last_mut().unwrap() += &text,
            _ => {}
        }
    }
    texts
}

/// Changes every text of a payload but for those that have a fixed meaning.
fn infect(value: &mut Value, poison: &str) {
    const FIXED: &[&str] = &["severity", "status", "outcome", "impact_started_at", "marks"];
    match value {
        Value::String(text) => text.push_str(poison),
        Value::Array(items) => items.iter_mut().for_each(|item| infect(item, poison)),
        Value::Object(fields) => {
            let changed = std::mem::take(fields).into_iter().map(|(name, mut value)| match name.as_str() {
                fixed if FIXED.contains(&fixed) => (name, value),
                "metrics" if value.is_object() => {
                    let poisoned = value.as_object().unwrap().iter();
                    let poisoned = poisoned.map(|(name, value)| (format!("{name}{poison}"), value.clone()));
                    (name, Value::Object(poisoned.collect()))
                }
                _ => {
                    infect(&mut value, poison);
                    (name, value)
                }
            });
            *fields = changed.collect();
        }
        _ => {}
    }
}

#[test]
fn no_text_of_an_event_changes_the_shape_of_the_report() {
    let events = recording();
    // The command to play it again is left out for a name that no shell takes as it is.
    let benign = report(&events).replace(" again, except for ids and times:", "");
    let benign = blocks(benign.split("\nThe same file and seed").next().unwrap());
    assert!(benign.len() > 500, "only {} blocks", benign.len());
    for poison in [
        " | a | b |",
        "\n\n# heading\n\n| a |\n|---|\n| b |\n\n- item\n",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "<!-- <b> ]]> <?php",
        "`` ` ```\n```\ncode",
        "**bold** _x_ __y__ ~~z~~ ~z~ $x$ $$y$$",
        "[link](javascript:alert(1)) ![image](x) [^1] [a]: b <https://x.example> <a@b.example>",
        "&lt;script&gt; &amp; &#60;b&#62; &copy;",
        "\\ \\| \\",
        "\r\n> quote\r\n\t    indented\u{b}\u{c}\u{85}\u{2028}\u{2029}\u{0}\u{1b}[31m",
        "\u{202e}desrever\u{2066}",
        "  \n---\n===\n",
    ] {
        let infected: Vec<_> = events.iter().map(|event| with(event, |data| infect(data, poison))).collect();
        let infected: Vec<_> = infected
            .into_iter()
            .map(|event| incident::contract::Envelope {
                subject: event.subject.map(|id| id + poison),
                ..event
            })
            .collect();
        let report = report(&infected);
        assert_eq!(blocks(&report), benign, "{poison:?} in\n{report}");
        let steers = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{2069}').contains(&c);
        assert!(!report.contains(steers), "{poison:?}");
    }
}

#[test]
fn names_that_are_markdown_are_read_as_they_are() {
    let title = "1. # - a*b* _c_ snake_case <b>&lt;</b> `d` \\e| [f](g) ~h~ $i$ #";
    let report = report(&[start(&json!({ "title": title })), end(2, "resolved", &json!({}))]);
    assert_eq!(read(&report, |tag| matches!(tag, Tag::Heading { .. }))[0], format!("SEV3: {title}"));
    assert!(report.contains("snake_case"), "what needs no mark gets none: {report}");
}

#[test]
fn a_text_of_any_size_is_whole() {
    let long = "word ".repeat(12_000);
    let report =
        report(&[start(&json!({})), act(2, &json!({ "summary": long })), end(3, "resolved", &json!({}))]);
    let cells = read(&report, |tag| matches!(tag, Tag::TableCell));
    assert!(cells.iter().any(|cell| cell == long.trim()), "it was cut");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_as_it_is(text in "[!-~é–]{1,12}( [!-~日]{1,12}){0,4}") {
        let events = [
            start(&json!({ "title": text, "services": [text] })),
            act(2, &json!({ "summary": text, "agent": text, "status": "failed" })),
            end(3, "resolved", &json!({ "summary": text, "followups": [text], "actions": { "total": 1, "failed": 1 } })),
        ];
        let report = report(&events);
        blocks(&report);
        let heading = &read(&report, |tag| matches!(tag, Tag::Heading { .. }))[0];
        prop_assert_eq!(heading, &format!("SEV3: {text}"));
        let cells = read(&report, |tag| matches!(tag, Tag::TableCell));
        for wanted in [format!("Impact begins: {text}"), format!("Failed: {text}"), format!("Resolved: {text}"), text.clone()] {
            prop_assert!(cells.contains(&wanted), "{:?} is not among {:?}", wanted, cells);
        }
        let paragraphs = read(&report, |tag| matches!(tag, Tag::Paragraph));
        let affected = format!("{text} was affected for 3 s.");
        prop_assert!(paragraphs.iter().any(|paragraph| paragraph.starts_with(&affected)), "{:?}", paragraphs);
        let items = read(&report, |tag| matches!(tag, Tag::Item));
        prop_assert!(items.contains(&text) && items.contains(&format!("Services: {text}")), "{:?}", items);
    }
}
