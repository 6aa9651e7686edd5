//! The page: every text reaches the document through `dashboard/dom.js`, which has the gate.

use std::fs;

use incident::visible::is_hidden;

use super::corpus::SHOWN;
use super::files::Files;
use crate::browser::driver::Browser;
use crate::harness::{Http, Serving, root};
use crate::tidy::{files, relative};

/// What puts a text into the document: markup never, the rest in `dom.js` alone.
const MARKUP: [&str; 8] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "DOMParser",
    "createContextualFragment",
    "srcdoc",
    "eval(",
];
const TEXT: [&str; 9] = [
    "textContent =",
    "innerText =",
    "nodeValue =",
    "createTextNode",
    "insertAdjacentText",
    "document.title",
    ".append('",
    ".append(`",
    ".setAttribute(",
];

#[test]
fn every_text_goes_through_its_gate() {
    let sources = files("dashboard", "js");
    assert!(sources.len() > 20, "only {} files were found", sources.len());
    let mut wrong = Vec::new();
    for source in sources {
        let (name, text) = (relative(&source, "dashboard").to_owned(), fs::read_to_string(&source).unwrap());
        for (line, number) in text.lines().zip(1..) {
            let found =
                MARKUP.iter().chain(TEXT.iter().filter(|_| name != "dom.js")).find(|way| line.contains(*way));
            wrong.extend(found.map(|way| format!("{name}:{number}: {way}")));
        }
    }
    assert!(wrong.is_empty(), "texts reach the document past dashboard/dom.js: {wrong:#?}");
    let dom = fs::read_to_string(root().join("dashboard/dom.js")).unwrap();
    let (puts, gated) = (dom.matches("textContent = shown").count(), dom.matches("visible(").count());
    assert!(puts == 1 && dom.matches("textContent =").count() == 1 && gated >= 4, "{dom}");
}

#[test]
fn the_page_hides_nothing_that_the_terminal_shows() {
    let text = fs::read_to_string(root().join("dashboard/visible.js")).unwrap();
    let table = text.split("const HIDDEN = [").nth(1).unwrap().split("];").next().unwrap();
    let number = |text: &str| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).unwrap();
    let rows = table.lines().filter_map(|line| line.trim().strip_prefix('[')?.strip_suffix("],"));
    let ranges: Vec<(u32, u32)> = rows
        .map(|row| row.split_once(',').map(|(first, last)| (number(first), number(last))).unwrap())
        .collect();
    assert!(ranges.len() > 10, "{ranges:?}");
    for c in '\0'..=char::MAX {
        let point = u32::from(c);
        let hidden =
            point & 0xfffe == 0xfffe || ranges.iter().any(|(first, last)| (*first..=*last).contains(&point));
        assert_eq!(hidden, is_hidden(c), "U+{point:04X}");
    }
}

/// What a reader sees of the page and of its hints, and everything in it that a text could have made.
const SEEN: &str = "
    const nodes = [...document.querySelectorAll('main *, header *')];
    const hints = nodes.flatMap((node) => ['title', 'aria-label'].map((name) => node.getAttribute(name) ?? ''));
    const made = [...document.body.querySelectorAll('script, img:not([src$=svg]), iframe, a')].map((node) => node.outerHTML);
    return [document.body.innerText, document.title, made, hints.join(' ')];
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn no_event_steers_the_page() {
    let files = Files::new();
    let scenario = files.path("scenario").display().to_string();
    let fixed = ["serve", "--port", "0", "--json", "--quiet", "--speed", "60", "--scenarios", &scenario];
    let server = Serving::alone(&fixed);
    let page = Browser::open(&format!("http://{}/", server.address())).await;
    // A page that comes after the end does not show the incident.
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    let reply = Http::trigger(server.address(), "{\"scenario\":\"hostile\"}").send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    page.until("the result", "document.querySelector('#result')").await;
    let seen = page.run(SEEN, Vec::new()).await;
    assert_eq!(seen[2], serde_json::json!([]), "a text became an element");
    for part in [0, 1, 3] {
        let text = seen[part].as_str().unwrap();
        assert!(text.contains(SHOWN), "{part}: {text}");
        let hidden = text.chars().find(|c| is_hidden(*c) && !matches!(c, '\n' | '\t'));
        assert_eq!(hidden, None, "{part}: {}", text.escape_debug());
    }
}
