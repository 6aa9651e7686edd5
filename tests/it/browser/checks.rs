//! What holds of the page in every state, at every size and in both themes: nothing overflows, every text can be read, and
//! axe-core finds nothing and leaves nothing open.

use std::fs;

use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::root;

const OVERFLOW: &str = include_str!("checks/overflow.js");
const CONTRAST: &str = include_str!("checks/contrast.js");
const AXE: &str = include_str!("checks/axe.js");

/// A row that has just arrived is coloured for a moment.
const SETTLE: &str = "
    for (const animation of document.getAnimations()) {
      if (animation.effect.getComputedTiming().endTime !== Infinity) animation.finish();
    }
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
";

/// Holds the page to all of it, in the light and in the dark theme.
pub async fn hold(page: &Browser, state: &str) {
    fits(page, state).await;
    for theme in ["light", "dark"] {
        page.value(&format!("(document.documentElement.dataset.theme = '{theme}')")).await;
        page.run(SETTLE, Vec::new()).await;
        let read = page.run(CONTRAST, Vec::new()).await;
        assert!(read[0].as_u64().unwrap() > 0, "{state} has no text");
        assert_eq!(read.as_array().unwrap()[1..], [] as [Value; 0], "{state}, {theme}: cannot be read");
        let axe = root().join("target/test-tools/node/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(axe).expect("axe-core is installed: ./tests/run does that");
        let found = page.run(&format!("{axe};\n{AXE}"), Vec::new()).await;
        assert_eq!(found, json!([]), "{state}, {theme}");
    }
}

/// Nothing is larger than what holds it, and nothing stands outside the page.
pub async fn fits(page: &Browser, state: &str) {
    page.run(SETTLE, Vec::new()).await;
    assert_eq!(page.run(OVERFLOW, Vec::new()).await, json!([]), "{state} does not fit");
}
