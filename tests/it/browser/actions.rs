//! What is done with an incident from the page: its report read and downloaded, a drill ended before its time, and the keys.

use serde_json::json;

use super::driver::Browser;
use crate::harness::{Http, Local, READ, Serving, envelope};
use crate::publish::{publish, started as real};

use super::login::log_in;

const ESCAPE: char = '\u{e00c}';

async fn drill(serving: &Serving) -> String {
    let reply = Http::trigger(serving.address(), "{\"scenario\":\"database-outage\"}").send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_report_is_read_on_the_page_and_downloaded_as_the_command_prints_it() {
    let serving = Serving::with(&["--speed", "200"]);
    let page = Browser::open(&format!("http://{}/", serving.address())).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    let ran = serving.incident(&["trigger", "database-outage", "--json"]).run();
    let id = envelope(ran.stdout.lines().next().unwrap()).incident().to_owned();
    page.until("the result", "document.querySelector('#result')").await;
    page.keys("r").await;
    page.until("the report", "document.querySelector('.report h2')").await;
    let printed = serving.incident(&["report", &id]).run().stdout;
    let script = "const link = document.querySelector('#report a[download]');
                  return [link.download, await (await fetch(link.href)).text()];";
    assert_eq!(page.run(script, vec![]).await, json!([format!("{id}.md"), printed]));
    let shown = "[...document.querySelectorAll('.report :is(h2, h3)')].map((one) => one.innerText)";
    let headings: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix('#')).collect();
    let headings: Vec<&str> = headings.iter().map(|one| one.trim_start_matches('#').trim()).collect();
    assert!(headings.len() > 8, "{headings:?}");
    assert_eq!(page.value(shown).await, json!(headings));
    let text = page.text(".report").await;
    for sign in ["**", "| ", "`", "&lt;"] {
        assert!(!text.contains(sign), "{sign} is left of Markdown: {text}");
    }
    assert!(text.contains("This was a drill.") && text.contains("☐ Alert on pool saturation"), "{text}");
    let rows = printed.lines().filter(|line| line.starts_with("| ")).count();
    assert_eq!(
        page.value("document.querySelectorAll('.report tr').length").await,
        rows - rows_of_dashes(&printed)
    );
    page.keys(&ESCAPE.to_string()).await;
    page.until("the page", "!document.querySelector('#report')").await;
}

/// Each table has one row that is none.
fn rows_of_dashes(report: &str) -> usize {
    report.lines().filter(|line| line.starts_with("| -")).count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn no_text_of_a_report_becomes_markup() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let hostile = r"# A \*b\* &lt;img src=x onerror=alert(1)&gt; &amp;amp;

- [ ] `a|b` **bold `code`** \# 1\. not a list
- one
  and its end

| A \| B | \\ |
| --- | --- |
| <script>alert(1)</script> |  |

```toml
a = '# no heading **b**'
```
";
    let script = "const { shownMarkdown } = await import('/markdown.js');
                  const box = document.createElement('div');
                  box.append(...shownMarkdown(args[0]));
                  return [box.innerHTML, box.querySelectorAll('img, script').length];";
    let told = page.run(script, vec![json!(hostile)]).await;
    let wanted = "<h2>A *b* &lt;img src=x onerror=alert(1)&gt; &amp;amp;</h2>\
        <ul><li class=\"task\">☐ <code>a|b</code> <strong>bold <code>code</code></strong> # 1. not a list</li>\
        <li>one and its end</li></ul>\
        <div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr>\
        <th scope=\"col\">A | B</th><th scope=\"col\">\\</th></tr></thead><tbody><tr>\
        <td>&lt;script&gt;alert(1)&lt;/script&gt;</td><td></td></tr></tbody></table></div>\
        <pre tabindex=\"0\"><code>a = '# no heading **b**'</code></pre>";
    assert_eq!(told, json!([wanted, 0]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_drill_is_ended_only_after_a_second_yes() {
    let serving = Serving::with(&[]);
    let page = Browser::open(&format!("http://{}/", serving.address())).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    let id = drill(&serving).await;
    page.until("the drill", "document.querySelector('#feed [data-position]')").await;
    page.click("#more").await;
    page.click("#do-cancel").await;
    page.until(
        "the question",
        "document.querySelector('dialog#cancel')?.innerText.includes('End this drill?')",
    )
    .await;
    assert!(page.text("dialog#cancel").await.contains(&id));
    assert_eq!(
        page.value("document.activeElement.innerText").await,
        "Keep it running",
        "a hasty Enter ends nothing"
    );
    page.keys("\u{e007}").await;
    page.until("the page", "!document.querySelector('dialog#cancel')").await;
    assert_eq!(page.value("document.querySelector('#headline').dataset.state").await, "open");
    page.keys("x").await;
    page.click("dialog#cancel .danger").await;
    page.until("the end", "document.querySelector('#headline').dataset.state === 'cancelled'").await;
    page.until("the page", "!document.querySelector('dialog#cancel')").await;
    page.keys("x").await;
    assert_eq!(page.value("document.querySelector('dialog#cancel')").await, json!(null), "it has ended");
}

/// Whether a person is offered to end what is on screen.
const OFFERED: &str = "(document.querySelector('#page-menu').showPopover(), \
                       document.querySelector('#do-report').checkVisibility() && \
                       document.querySelector('#do-cancel').checkVisibility())";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_real_incident_or_a_reader_is_offered_no_end() {
    let server = Local::start().await;
    publish(server.address, &[real("pay-1", "1")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    assert_eq!(page.value(OFFERED).await, false);
    assert_eq!(
        page.value("document.documentElement.hasAttribute('data-drill')").await,
        false,
        "it wears no tape"
    );

    let server = Local::closed().await;
    server.append(vec![crate::harness::started("a")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    log_in(&page, READ).await;
    page.until("the drill", "document.querySelector('#feed [data-position]')").await;
    page.until("its tape", "document.documentElement.hasAttribute('data-drill')").await;
    assert_eq!(page.value(OFFERED).await, false);
}

/// The dialog that is open once the page had everything that the report needs: a report that a key asked for earlier is there by then.
async fn dialog_after(page: &Browser, key: &str) -> serde_json::Value {
    page.keys(key).await;
    let report = "const { part } = await import('/parts.js');
                  await part('report');
                  await new Promise((next) => setTimeout(next));
                  return document.querySelector('dialog')?.id ?? null;";
    page.run(report, vec![]).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_help_lists_the_keys_and_switches_letters_off() {
    let server = Local::start().await;
    server.append(vec![crate::harness::started("a")]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    page.keys("?").await;
    page.until("the help", "document.querySelector('dialog#help')").await;
    // Every key that is bound is in it, with words.
    let script = "const { keysByGroup } = await import('/keys.js');
                  const rows = [...document.querySelectorAll('#help dl > div')].map((row) => row.innerText);
                  const keys = [...keysByGroup().values()].flat();
                  return [rows.length === keys.length && rows.length > 8, rows.filter((row) => !row.includes('\\n'))];";
    assert_eq!(page.run(script, vec![]).await, json!([true, []]));
    page.click("#help-letters").await;
    page.keys(&ESCAPE.to_string()).await;
    page.until("the page", "!document.querySelector('dialog#help')").await;
    assert_eq!(dialog_after(&page, "r").await, json!(null), "letters are no keys");
    page.refresh().await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;
    assert_eq!(dialog_after(&page, "r").await, json!(null), "also after a reload");
    page.keys("?").await;
    page.click("#help-letters").await;
    page.keys(&ESCAPE.to_string()).await;
    page.until("the page", "!document.querySelector('dialog#help')").await;
    page.keys("r").await;
    page.until("the report", "document.querySelector('.report h2')").await;
}
