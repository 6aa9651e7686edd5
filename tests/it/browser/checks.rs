//! What holds of the page in every state, at every size: nothing overflows, every text can be read in both themes, and axe-core
//! finds nothing and leaves nothing open.

use std::fs;

use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::root;

pub const OVERFLOW: &str = include_str!("checks/overflow.js");
pub const CONTRAST: &str = include_str!("checks/contrast.js");
const AXE: &str = include_str!("checks/axe.js");

/// A row that has just arrived is coloured for a moment.
pub const SETTLE: &str = "
    for (const row of document.querySelectorAll('[data-fresh]')) row.removeAttribute('data-fresh');
    for (const animation of document.getAnimations()) {
      if (animation.effect.getComputedTiming().endTime !== Infinity) animation.finish();
    }
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
";

/// Holds the page to all of it, in the light and in the dark theme.
pub async fn hold(page: &Browser, state: &str) {
    let problems = problems(page, state).await;
    assert!(problems.is_empty(), "{problems:#?}");
}

/// What is wrong with it, in sentences.
pub async fn problems(page: &Browser, state: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |what: String, found: &Value| {
        let found = found.as_array().unwrap();
        problems.extend(found.iter().map(|one| format!("{what}: {}", one.as_str().unwrap())));
    };
    note(format!("{state} does not fit"), &unfitting(page).await);
    for theme in ["light", "dark"] {
        page.value(&format!("(document.documentElement.dataset.theme = '{theme}')")).await;
        page.run(SETTLE, Vec::new()).await;
        note(format!("{state}, {theme}, cannot be read"), &unreadable(page).await);
    }
    // Of what axe-core looks for, contrast alone depends on the theme.
    note(state.to_owned(), &page.run(&axe(), Vec::new()).await);
    problems
}

/// A script that gives what axe-core finds, with its source.
pub fn axe() -> String {
    let axe = root().join("target/test-tools/node/node_modules/axe-core/axe.min.js");
    let axe = fs::read_to_string(axe).expect("axe-core is installed: ./tests/run does that");
    format!("{axe};\n{AXE}")
}

/// The texts that can't be read, as they are painted now.
pub async fn unreadable(page: &Browser) -> Value {
    let mut read = page.run(CONTRAST, Vec::new()).await;
    let texts = read.as_array_mut().unwrap().remove(0);
    assert!(texts.as_u64().unwrap() > 0, "there is no text");
    read
}

/// Nothing is larger than what holds it, and nothing stands outside the page.
pub async fn fits(page: &Browser, state: &str) {
    assert_eq!(unfitting(page).await, json!([]), "{state} does not fit");
}

async fn unfitting(page: &Browser) -> Value {
    page.run(SETTLE, Vec::new()).await;
    page.run(OVERFLOW, Vec::new()).await
}
