//! The page: every text reaches the document through `dashboard/dom.js`, which has the gate.

use std::fs;

use incident::visible::is_hidden;

use super::corpus::{HOSTILE, SHOWN};
use super::files::Files;
use crate::browser::driver::Browser;
use crate::harness::{Http, Scratch, Serving, root};
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

/// Both gates show the same, character by character.
#[test]
#[ignore = "needs Node.js: ./tests/run installs it and runs this"]
fn the_page_shows_a_text_as_the_terminal_does() {
    let mut texts = vec![HOSTILE.to_owned()];
    let pieces = [
        "a",
        "1",
        "#",
        "❤",
        "🏳",
        "🌈",
        "ᠠ",
        "葛",
        "\u{200d}",
        "\u{200c}",
        "\u{fe0f}",
        "\u{fe00}",
        "\u{180b}",
        "\u{20e3}",
        "\u{301}",
        "\u{34f}",
        "\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
        "\u{e49}\u{5b1}\u{651}",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{200d}\u{301}",
        "\u{2800}",
        "\u{13430}",
        "\u{202e}",
        "\n",
    ];
    for one in pieces {
        for two in pieces {
            texts.extend(pieces.map(|three| format!("{one}{two}{three}")));
        }
    }
    let script = Scratch::new()
        .with("visible.mjs", &fs::read_to_string(root().join("dashboard/visible.js")).unwrap())
        .with("texts.json", &serde_json::to_string(&texts).unwrap())
        .with(
            "main.mjs",
            "import fs from 'node:fs'; import { visible } from './visible.mjs';\n\
             const texts = JSON.parse(fs.readFileSync('texts.json', 'utf8'));\n\
             console.log(JSON.stringify(texts.map((text) => visible(text))));",
        );
    let ran = std::process::Command::new("node").arg("main.mjs").current_dir(script.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let shown: Vec<String> = serde_json::from_slice(&ran.stdout).unwrap();
    for (text, shown) in texts.iter().zip(shown) {
        assert_eq!(shown, incident::visible::visible(text), "{}", text.escape_unicode());
    }
}
