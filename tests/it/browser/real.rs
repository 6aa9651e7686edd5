//! Real incidents are marked as real and drills as drills, whatever their texts say.

use serde_json::json;

use super::driver::Browser;
use crate::harness::{Http, Local};
use crate::publish::{action, publish, started};

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
