//! Starting scenarios with settings: a fitting field for each, mistakes beside their fields, choices that are remembered,
//! and a list that can be searched.

use serde_json::{Value, json};

use super::checks::hold;
use super::driver::Browser;
use super::screenshots::{SIZES, picture};
use crate::harness::{Scratch, Serving, get};

const DOWN: char = '\u{e015}';
const ENTER: char = '\u{e007}';
const TAB: char = '\u{e004}';
const ESCAPE: char = '\u{e00c}';

/// A scenario with a parameter of each kind, and a variant.
const KINDS: &str = r#"
id = "kinds"
title = "Release {release} is slow"
severity = "SEV2"
services = ["shop"]
target = "1m"
[parameters]
release = "8.1"
users = { default = 500, about = "Users in the shop", min = 1, max = 1000 }
share = { default = 0.5, about = "Share of users who notice" }
page = { default = true, about = "Whether somebody is paged" }
region = { default = "eu", one_of = ["eu", "us"] }
[variant.worse]
about = "It gets worse"
[variant.worse.change]
title = "Release {release} is down"
[[phases]]
name = "detect"
at = "0s"
[agents]
watcher = "Watches"
[impact]
users = { 0s = 0, 20s = "{users}" }
[[steps]]
id = "look"
at = "5s"
agent = "watcher"
action = "status_update"
summary = "{region}: page {page}, share {share}"
[resolution]
at = "50s"
summary = "Rolled back"
"#;

fn serve(folder: &Scratch) -> Serving {
    let path = folder.path().display().to_string();
    Serving::alone(&["serve", "--port", "0", "--json", "--quiet", "--speed", "5", "--scenarios", &path])
}

async fn settings_of(serving: &Serving) -> Vec<Value> {
    let listed = get(serving.address(), "/api/incidents").await.json();
    listed["incidents"].as_array().unwrap().iter().map(|incident| incident["run"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn each_setting_has_its_field_each_mistake_its_place_and_choices_are_remembered() {
    let folder = Scratch::new().with("kinds.toml", KINDS);
    let serving = serve(&folder);
    let page = Browser::open(&format!("http://{}/", serving.address())).await;
    page.click("#quiet .card-settings").await;
    page.until("the form", "document.querySelector('#quiet .settings').checkVisibility()").await;
    let fields = "[...document.querySelectorAll('#quiet .setting')].map((field) => \
                  [field.querySelector('legend, label').innerText, \
                   field.querySelector('.variants input, input, select').type, field.querySelector('.hint')?.innerText ?? ''])";
    let wanted = json!([
        ["Variant", "radio", ""],
        ["release", "text", "Normally 8.1."],
        ["users", "number", "Users in the shop. 1 to 1000, normally 500."],
        ["share", "number", "Share of users who notice. Normally 0.5."],
        ["page", "checkbox", "Whether somebody is paged. Normally true."],
        ["region", "select-one", "Normally eu."],
        ["Speed", "number", "1 is as fast as the scenario says. It plays 50 s."],
        ["Seed", "number", "The same seed and settings give the same incident."],
    ]);
    assert_eq!(page.value(fields).await, wanted);
    let names = "[...document.querySelectorAll('#quiet .setting :is(input, select)')].every((one) => \
                 one.labels.length > 0 || one.ariaLabel)";
    assert_eq!(page.value(names).await, true, "each field has a name");

    // All that the server refuses stands beside its fields, in its words, and nothing began.
    page.fill("[data-pointer='/settings/users'] [type=number]", "5000").await;
    page.fill("[data-pointer='/speed'] input", &format!("0{ENTER}")).await;
    let problems = "[...document.querySelectorAll('#quiet .setting')].filter((one) => \
                    one.querySelector('.field-problem').checkVisibility()).map((one) => \
                    [one.dataset.pointer, one.querySelector('.field-problem').innerText])";
    page.until("both mistakes", &format!("{problems}.length === 2")).await;
    let told = page.value(problems).await;
    assert_eq!((&told[0][0], &told[1][0]), (&json!("/settings/users"), &json!("/speed")));
    assert!(told[0][1].as_str().unwrap().contains("at most 1000"), "{told}");
    assert!(told[1][1].as_str().unwrap().contains("from 0.001 to 10000"), "{told}");
    assert_eq!(
        page.value("document.activeElement.closest('.setting').dataset.pointer").await,
        "/settings/users"
    );
    page.fill("[data-pointer='/speed'] input", &format!("50{ENTER}")).await;
    let other = format!("{problems}.length === 1 && {problems}[0][0] === '/settings/users'");
    page.until("the mistake that is left", &other).await;
    let told = page.value(problems).await;
    assert!(told[0][1].as_str().unwrap().contains("at most 1000"), "{told}");
    assert_eq!(settings_of(&serving).await, Vec::<Value>::new());

    page.fill("[data-pointer='/settings/users'] [type=number]", "900").await;
    page.click("#quiet [type=radio][value=worse]").await;
    page.click("#quiet [data-pointer='/settings/page'] input").await;
    page.fill("[data-pointer='/seed'] input", "7").await;
    let command = format!(
        "incident trigger kinds --seed 7 --speed 50 --set variant=worse --set users=900 --set page=false --url ws://{}/ws",
        serving.address()
    );
    assert_eq!(page.text("#quiet .settings .terminal").await, command);
    page.click("#quiet .settings .primary").await;
    page.until(
        "the incident",
        "document.querySelector('#headline .title')?.innerText === 'Release 8.1 is down'",
    )
    .await;
    let settings = json!({ "variant": "worse", "users": "900", "page": "false" });
    let run = &settings_of(&serving).await[0];
    assert_eq!((&run["seed"], &run["settings"]), (&json!(7), &settings));

    // After a reload the list says what it starts, and starts that.
    page.until("the end", "document.querySelector('#result')").await;
    page.refresh().await;
    page.until("the list", "document.querySelector('#quiet .card-choice')?.checkVisibility()").await;
    let choice = page.text("#quiet .card-choice").await;
    assert_eq!(choice, "Last started · with worse · users 900 · page false · seed 7 · 50×");
    page.click("#quiet button[data-scenario=kinds]").await;
    page.until(
        "the incident",
        "document.querySelector('#headline .title')?.innerText === 'Release 8.1 is down'",
    )
    .await;
    let runs = settings_of(&serving).await;
    assert_eq!((&runs[1]["seed"], &runs[1]["settings"]), (&json!(7), &settings));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn many_scenarios_are_searched_and_started_with_the_keyboard_alone() {
    let serving = Serving::alone(&["serve", "--port", "0", "--json", "--quiet", "--speed", "20"]);
    let page = Browser::open(&format!("http://{}/", serving.address())).await;
    page.until("the list", "document.querySelectorAll('#quiet .card').length > 8").await;
    page.keys("/").await;
    page.until("the search", "document.activeElement.matches('#quiet .search')").await;
    let shown = "[...document.querySelectorAll('#quiet .card:not([hidden]) [data-scenario]')].map((one) => one.dataset.scenario)";
    page.keys("cloudflare SEV1").await;
    page.until(
        "some",
        &format!("{shown}.length === 3 && {shown}.every((id) => id.startsWith('cloudflare'))"),
    )
    .await;
    page.keys(" nothing").await;
    page.until("none", "document.querySelector('#quiet').innerText.includes('No scenario has')").await;
    page.keys(&ESCAPE.to_string()).await;
    page.until("all", &format!("{shown}.length > 8")).await;
    page.keys(&format!("database-out{DOWN}")).await;
    page.until("its card", "document.activeElement.dataset.scenario === 'database-outage'").await;
    // One step to its settings and back, and it starts.
    page.keys(&format!("{TAB}{ENTER}")).await;
    page.until(
        "its settings",
        "document.querySelector('#quiet settings-form').contains(document.activeElement)",
    )
    .await;
    page.keys(&ESCAPE.to_string()).await;
    page.until("the list", "document.activeElement.matches('#quiet .card-settings')").await;
    page.keys("\u{e012}").await;
    page.until("its card", "document.activeElement.matches('[data-scenario]')").await;
    page.keys(&ENTER.to_string()).await;
    page.until("the incident", "document.querySelector('#feed [data-position]')").await;

    // Over an incident the same list is a menu.
    page.keys("t").await;
    page.until("its search", "document.activeElement.matches('#trigger-menu .search')").await;
    page.keys(&format!("false-al{DOWN}{ENTER}")).await;
    page.until("the second", "document.querySelectorAll('#tabs [data-tab]').length === 2").await;
    assert_eq!(page.value("document.querySelector('#trigger-menu').matches(':popover-open')").await, false);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_list_and_the_settings_fit_every_size_and_are_there_for_everyone() {
    let folder = Scratch::new().with("kinds.toml", KINDS);
    let serving = serve(&folder);
    for size in SIZES {
        let page = Browser::sized(size, &format!("http://{}/", serving.address())).await;
        page.until("the list", "document.querySelector('#quiet .card')").await;
        hold(&page, &format!("the list of scenarios at {size:?}")).await;
        page.click("#quiet .card-settings").await;
        page.fill("[data-pointer='/speed'] input", &format!("0{ENTER}")).await;
        page.until("a mistake", "document.querySelector('#quiet [aria-invalid=true]')").await;
        hold(&page, &format!("the settings at {size:?}")).await;
        picture(&page, size, "settings").await;
    }
}
