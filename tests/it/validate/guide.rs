//! docs/validate.md documents the rules and limits that the program has.

use std::fs;

use incident::check::{Limits, Observed, RULES};

use crate::harness::{ensure_file_contents, root};

/// The documented rules are those of the program.
#[test]
fn the_guide_documents_every_rule_and_limit() {
    let path = root().join("docs/validate.md");
    let text = fs::read_to_string(&path).unwrap();
    let between = |text: &str, name: &str, content: &str| {
        let (begin, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- end of {name} -->"));
        let (before, rest) = text.split_once(&begin).unwrap();
        let (_, after) = rest.split_once(&end).unwrap();
        format!("{before}{begin}\n{content}\n{end}{after}")
    };
    let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;");
    let rules: String = RULES
        .iter()
        .map(|rule| format!("| `{}` | {} | {} |\n", rule.name, cell(rule.meaning), cell(rule.example)))
        .collect();
    let limits: String = Limits::ALL
        .iter()
        .map(|(name, meaning, default)| {
            let rule = RULES.iter().find(|rule| rule.limits.contains(name)).unwrap().name;
            format!("| `{name}` | `{rule}` | {} | {} |\n", cell(meaning), cell(default))
        })
        .collect();
    let rules = format!("| rule | requires that | a finding, for example |\n|---|---|---|\n{rules}");
    let limits = format!("| limit | rule | meaning | default |\n|---|---|---|---|\n{limits}");
    let wanted = between(&between(&text, "rules", &rules), "limits", &limits);
    ensure_file_contents(&[(path, wanted)]);
}

/// The documented lines of transcripts are read.
#[test]
fn the_guide_shows_what_transcripts_have() {
    let text = fs::read_to_string(root().join("docs/validate.md")).unwrap();
    let (_, table) = text.split_once("| `opened` | ").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let row =
        |key: &str| table.split(&format!("| `{key}` | ")).nth(1).unwrap_or(table).lines().next().unwrap();
    let mut read = 0;
    for key in ["opened", "refused", "closed"] {
        for value in row(key).split('`').skip(1).step_by(2).filter(|code| code.starts_with(['"', '{', '['])) {
            let line = format!(r#"{{"at":1.5,"connection":3,"{key}":{value}}}"#);
            assert!(Observed::from_line(2, &line).is_ok(), "{line}: {:?}", Observed::from_line(2, &line));
            read += 1;
        }
    }
    assert!(read >= 9, "{read}");
    assert!(table.contains("{\"failed\":"), "also what could not be connected");
}
