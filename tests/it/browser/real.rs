//! Real incidents are marked as real and drills as drills, whatever their texts say.

use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::{self as records, Http, Local};
use crate::publish::{action, event, publish, started};
use crate::replay::with;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_real_incident_cannot_be_taken_for_a_drill() {
    let server = Local::start().await;
    let mut real = started("pay-1", "1");
    real["data"]["title"] = json!("DRILL: <b>nothing</b> is broken");
    let reply =
        publish(server.address, &[real, action("pay-1", "2", "<img src=x onerror=alert(1)> looks")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let badges = "(() => [...document.querySelectorAll('headline-panel .badge')].filter((badge) => !badge.hidden)\
                  .map((badge) => badge.textContent).join())()";
    page.until("the real incident", &format!("{badges} === 'SEV2,REAL INCIDENT'")).await;
    assert_eq!(page.value("document.querySelectorAll('headline-panel b, main img').length").await, json!(0));
    let drill = Http::trigger(server.address, "{\"scenario\":\"database-outage\"}").send().await;
    assert_eq!(drill.status, 202, "{}", drill.body);
    let id = drill.json()["id"].as_str().unwrap().to_owned();
    page.until("both tabs", "document.querySelectorAll('incident-tabs .tab').length === 2").await;
    page.click(&format!("[data-tab='{id}']")).await;
    page.until("the drill", &format!("{badges} === 'SEV1,DRILL'")).await;
    assert_eq!(page.text("[data-tab='pay-1'] .tab-severity").await, "REAL SEV2");
    assert_eq!(page.text(&format!("[data-tab='{id}'] .tab-severity")).await, "SEV1");
}

/// Names come from publishers, and every object of JavaScript has members with some of them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn names_that_javascript_gives_to_its_own_are_names_like_others() {
    let server = Local::start().await;
    let sample = event(
        "pay-1",
        "2",
        "system_metrics",
        &json!({ "metrics": { "constructor": 2, "toString": 3, "__proto__": 1 } }),
    );
    let mut seen = action("pay-1", "3", "looked");
    seen["data"]["evidence"] = json!([{ "kind": "metric", "ref": "valueOf", "value": 5 }]);
    let mut odd = started("pay-2", "4");
    odd["data"]["metrics"] = json!([{ "name": "queue", "unit": "constructor" }]);
    odd["data"]["phases"] =
        json!([{ "name": "first", "start_s": 0, "end_s": 60 }, { "name": "second", "start_s": 60 }]);
    let reply = publish(server.address, &[started("pay-1", "1"), sample, seen, odd]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let page = Browser::open(&format!("http://{}/?incident=pay-1", server.address)).await;
    page.until("both tabs", "document.querySelectorAll('incident-tabs .tab').length === 2").await;
    page.click("[data-tab='pay-1']").await;
    page.until("three charts", "document.querySelectorAll('.chart .value').length === 3").await;
    let told = "[...document.querySelectorAll('.chart')].map((chart) => [chart.querySelector('.name').textContent,\
                chart.querySelector('.value').textContent, chart.querySelector('.sub').textContent])";
    let mut charts: Vec<Vec<String>> = serde_json::from_value(page.value(told).await).unwrap();
    charts.sort();
    let expected = [["  proto  ", "1", "max 1"], ["Constructor", "2", "max 2"], ["ToString", "3", "max 3"]];
    let same = |text: &str| text.trim().to_owned();
    for (chart, expected) in charts.iter().zip(expected) {
        let shown: Vec<String> = chart.iter().map(|text| same(text)).collect();
        assert_eq!(shown, expected.map(same), "{charts:?}");
    }
    page.until("the evidence", "document.querySelector('.facts .fact')?.textContent === 'metric valueOf: 5'")
        .await;
    page.click("[data-tab='pay-2']").await;
    let unit = "document.querySelector('ahead-panel ul .sub')?.textContent === 'in constructor'";
    page.until("the unit", unit).await;
    let form = r"
        await import('/panels/settings.js');
        const form = document.body.appendChild(document.createElement('settings-form'));
        form.open({ id: 'constructor', parameters: [{ name: 'constructor', default: 'usual' }] });
        const field = form.querySelector('[data-pointer=\'/settings/constructor\'] input');
        return [field.value, form.querySelector('.terminal').textContent.split(' --url')[0]];";
    assert_eq!(page.run(form, vec![]).await, json!(["usual", "incident trigger constructor"]));
}

/// People switch off what hurts before they know why. No event before the resolution has told when.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_result_has_its_milestones_in_the_order_in_which_they_were_reached() {
    let server = Local::start().await;
    let end = event(
        "pay-1",
        "2",
        "incident_resolved",
        &json!({
            "outcome": "resolved", "summary": "Switched off",
            "durations": { "diagnose_s": 0.4, "mitigate_s": 0.2, "detect_s": 0, "resolve_s": 0.5 },
        }),
    );
    let reply = publish(server.address, &[started("pay-1", "1"), end]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let page = Browser::open(&format!("http://{}/?incident=pay-1", server.address)).await;
    page.until("its result", "document.querySelectorAll('#result .milestones li').length === 4").await;
    let names =
        "[...document.querySelectorAll('#result .milestones li .label')].map((label) => label.textContent)";
    assert_eq!(page.value(names).await, json!(["Detected", "Mitigated", "Diagnosed", "Resolved"]));
}

/// The seconds of what was seen long before the impact have hours, and room for them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn seconds_long_before_the_impact_fit_their_column() {
    let server = Local::start().await;
    let second = |at: f64| move |data: &mut Value| data["offset_s"] = json!(at);
    let early = with(records::started("early"), |data| {
        (data["offset_s"], data["phases"], data["target_s"]) = (json!(-7_300), json!([]), Value::Null);
    });
    let seen = with(records::action("early", 2, "looked"), second(-7_220.0));
    let late = with(records::action("early", 3, "looked again"), second(5.0));
    server.append(vec![early, seen]).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let fits = "(() => [...document.querySelectorAll('#feed .row time')].map((time) => time.textContent +\
                (time.scrollWidth <= time.clientWidth ? ' fits' : ' does not fit')).join())()";
    page.until("two rows", &format!("{fits}.split(',').length === 2")).await;
    assert_eq!(page.value(fits).await, json!("T−2:01:40 fits,T−2:00:20 fits"));
    server.append(vec![late]).await;
    page.until("three rows", &format!("{fits}.split(',').length === 3")).await;
    assert_eq!(page.value(fits).await, json!("T−2:01:40 fits,T−2:00:20 fits,T+0:00:05 fits"));
}
