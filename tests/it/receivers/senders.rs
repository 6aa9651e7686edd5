//! What senders and what stands between may do to a body: sign it with a time, and compress it.

use incident::journal::Retention;
use incident::server::Options;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::lab::{firing, group};
use super::server::setups;
use crate::harness::{Http, Local, Reply, Scratch, Serving, options};
use crate::publish::encoded::gzip;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// HMAC-SHA256 of a text, for a secret that is shorter than a block, in hexadecimal digits.
fn hmac(secret: &[u8], text: &[u8]) -> String {
    let pad = |with: u8| {
        let mut pad = [with; 64];
        pad.iter_mut().zip(secret).for_each(|(byte, key)| *byte ^= key);
        pad
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Grafana signs with a header for the time: the seconds since 1970, a colon, the body.
#[tokio::test]
async fn grafana_signs_the_time_with_the_body() {
    let file = "[[receiver]]\nname = \"graf\"\nkind = \"grafana\"\nhmac_secret_file = \"secret\"\n\
                hmac_header = \"X-Grafana-Alerting-Signature\"\nhmac_timestamp_header = \"X-Grafana-Alerting-Timestamp\"\n";
    let folder = Scratch::new().with("receivers.toml", file).with("secret", SECRET);
    let path = folder.path().join("receivers.toml");
    let server = Serving::with(&["--journal", "memory", "--receivers", path.to_str().unwrap()]);
    let mut body = group(&[firing("A", 0)]);
    body["version"] = json!("1");
    let body = body.to_string();
    let now = jiff::Timestamp::now().as_second();
    let send = async |time: Option<i64>, signed: &str| -> Reply {
        let mut request = Http::new(server.address(), "POST", "/hooks/grafana/graf")
            .header("X-Grafana-Alerting-Signature", &hmac(SECRET.as_bytes(), signed.as_bytes()))
            .body(&body);
        if let Some(time) = time {
            request = request.header("X-Grafana-Alerting-Timestamp", &time.to_string());
        }
        request.send().await
    };
    let old = now - 3_600;
    for (time, signed) in [
        (None, body.clone()),
        (Some(now), body.clone()),
        (Some(now), format!("{}:{body}", now - 1)),
        (Some(now), format!("{now}:{body} ")),
        (Some(now), format!("{now}{body}")),
        (Some(old), format!("{old}:{body}")),
    ] {
        let reply = send(time, &signed).await;
        assert_eq!(reply.status, 401, "{time:?}: {}", reply.body);
        assert_eq!(reply.body.contains("clocks"), time == Some(old), "{}", reply.body);
        let says_how = ["X-Grafana-Alerting-Signature", "X-Grafana-Alerting-Timestamp"]
            .iter()
            .all(|header| reply.body.contains(header));
        assert_eq!(says_how && !reply.body.contains("Bearer"), time != Some(old), "{}", reply.body);
    }
    let told = send(Some(now), &format!("{now}:{body}")).await;
    assert_eq!((told.status, &told.json()["events"]), (200, &json!(2)), "{}", told.body);
    // The same request again lies within the time, and writes nothing.
    let told = send(Some(now), &format!("{now}:{body}")).await;
    assert_eq!((told.status, &told.json()["repeats"]), (200, &json!(1)), "{}", told.body);
}

#[tokio::test]
async fn a_body_that_was_compressed_on_its_way_is_read() {
    let server =
        Local::with(Options { receivers: Some(setups("")), ..options() }, Retention::default()).await;
    let send = async |path: &str, encoding: &str, body: &[u8]| {
        let request =
            Http::new(server.address, "POST", path).bearer(SECRET).header("Content-Encoding", encoding);
        request.bytes(body).send().await
    };
    let (webhook, pagerduty) = ("/hooks/alertmanager/prod", "/hooks/pagerduty/pd/v2/enqueue");
    let alerts = group(&[firing("A", 0)]).to_string();
    let trigger = json!({
        "routing_key": SECRET, "event_action": "trigger", "dedup_key": "k",
        "payload": { "summary": "Disk full", "source": "db-1", "severity": "error" },
    });
    let told = send(webhook, "gzip", &gzip(alerts.as_bytes())).await;
    assert_eq!((told.status, &told.json()["events"]), (200, &Value::from(2)), "{}", told.body);
    assert_eq!(send(pagerduty, "gzip", &gzip(trigger.to_string().as_bytes())).await.status, 202);
    let head = server.journal_head();
    for path in [webhook, pagerduty] {
        for (encoding, body) in [("br", alerts.as_bytes()), ("gzip", alerts.as_bytes())] {
            let reply = send(path, encoding, body).await;
            assert_eq!(
                (reply.status, reply.header("accept-encoding")),
                (415, "gzip"),
                "{path}: {}",
                reply.body
            );
        }
        let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
        assert_eq!(send(path, "gzip", &bomb).await.status, 413, "{path}");
    }
    assert_eq!(server.journal_head(), head);
}
