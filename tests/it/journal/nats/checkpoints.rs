//! A server that starts goes on from a checkpoint that agrees with the stream, and knows the same as one that reads
//! everything.

use std::io::{Read, Write};

use data_encoding::{BASE64, HEXLOWER};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use incident::journal::{Journal, Key, Place, Record};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ALL, append, ask, client, metrics, ms, open, soon, started, story};
use crate::harness::nats::NatsServer;
use crate::harness::{Scratch, Serving, incident};

/// More events than may follow the newest checkpoint.
const EVENTS: u64 = 50_504;

/// What everybody has to know of the stream that `fill` has filled.
async fn known(log: &Journal) -> String {
    let names = (0..3).map(|number| ("/a".to_owned(), number.to_string())).collect();
    let keyed = log.keyed(names).await.unwrap();
    let (extent, spans) = (log.extent(), log.incidents(1_000).await.unwrap());
    let open: Vec<_> =
        log.open_incidents().await.unwrap().into_iter().map(|open| (open.subject, open.plan)).collect();
    format!("{extent:?} {spans:?} {keyed:?} {open:?}")
}

async fn fill(log: &Journal) {
    append(log, vec![started("open")]).await;
    let key = |number: u8| Key { source: "/a".to_owned(), id: number.to_string(), digest: [number; 32] };
    let keyed = |number| Record { place: Place::Next(key(number)), ..metrics("open", 0) };
    append(log, vec![keyed(0)]).await;
    for number in 0..101 {
        append(log, story(&format!("over-{number}"), 500)).await;
    }
    append(log, vec![keyed(1), keyed(2)]).await;
}

async fn stored(name: &str, what: &str) -> Vec<u8> {
    let which = json!({ "last_by_subj": format!("incident.{name}.ctl.checkpoint{what}") });
    let found = ask(&format!("STREAM.MSG.GET.{name}_ctl"), which).await;
    BASE64.decode(found["message"]["data"].as_str().unwrap_or_default().as_bytes()).unwrap()
}

async fn publish(name: &str, what: &str, bytes: Vec<u8>) {
    let answer = client().await.request(format!("incident.{name}.ctl.checkpoint{what}"), bytes.into()).await;
    assert!(String::from_utf8_lossy(&answer.unwrap().payload).contains("\"seq\""));
}

/// Changes a checkpoint so that only what is changed is wrong.
async fn forge(name: &str, change: &dyn Fn(&mut Value, &mut Value)) {
    let mut mark: Value = serde_json::from_slice(&stored(name, "").await).unwrap();
    let place = mark["place"].clone();
    let mut bytes = Vec::new();
    for part in 0..mark["parts"].as_u64().unwrap() {
        bytes.extend(stored(name, &format!(".{place}.{part}")).await);
    }
    let mut text = Vec::new();
    ZlibDecoder::new(&*bytes).read_to_end(&mut text).unwrap();
    let mut snapshot: Value = serde_json::from_slice(&text).unwrap();
    mark["parts"] = json!(1);
    let before = mark.clone();
    change(&mut mark, &mut snapshot);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(snapshot.to_string().as_bytes()).unwrap();
    let bytes = packed.finish().unwrap();
    if mark["digest"] == before["digest"] {
        mark["digest"] = json!(HEXLOWER.encode(&Sha256::digest(&bytes)));
    }
    publish(name, &format!(".{place}.0"), bytes).await;
    publish(name, "", mark.to_string().into_bytes()).await;
}

/// Starts a server until its log has a line, and returns all that it has logged until then.
async fn logged(folder: &Scratch, location: &str, line: &str) -> String {
    let file = folder.path().join("log");
    let run =
        incident(&["serve", "--port", "0", "--json", "--retain-events", "4000000", "--journal", location]);
    let log = std::fs::File::create(&file).unwrap();
    let hub = tokio::task::spawn_blocking(move || Serving::logging(run, log)).await.unwrap();
    assert!(hub.is_some(), "{}", std::fs::read_to_string(&file).unwrap());
    soon(line, async {
        loop {
            let text = std::fs::read_to_string(&file).unwrap();
            if text.contains(line) {
                return text;
            }
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_start_goes_on_from_a_checkpoint_or_reads_everything() {
    const FROM: &str = "the start goes on from a checkpoint";
    const WHOLE: &str = "it uses no checkpoint";
    let (folder, name) = (Scratch::new(), NatsServer::fresh_name());
    let location = NatsServer::shared().location(&name);
    let at = location.to_str().unwrap().to_owned();
    let log = open(&location, ALL);
    fill(&log).await;
    assert_eq!(log.extent().head, EVENTS);
    let wanted = known(&log).await;
    drop(log);

    // The first that is in charge writes one if there is none that it can use, and whoever starts then uses it.
    let damages: [(&str, &dyn Fn(&mut Value, &mut Value)); 4] = [
        ("a part", &|mark, _| mark["digest"] = json!("00")),
        ("the name", &|mark, _| mark["stream"] = json!("0000000000000000")),
        ("the chain", &|_, inside| inside["chain"] = json!(1)),
        ("the format", &|_, inside| inside["format"] = json!(2)),
    ];
    let first = open(&location, ALL);
    soon("a checkpoint", async {
        while stored(&name, "").await.is_empty() {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
    drop(first);
    for (what, change) in damages {
        forge(&name, change).await;
        let forged = stored(&name, "").await;
        let said = logged(&folder, &at, WHOLE).await;
        assert!(!said.contains(FROM), "{what}: {said}");
        // The journal that is open next is in charge, and replaces what it could not use.
        let log = open(&location, ALL);
        assert_eq!(known(&log).await, wanted, "{what} is damaged");
        soon("another checkpoint", async {
            while stored(&name, "").await == forged {
                tokio::time::sleep(ms(50)).await;
            }
        })
        .await;
    }
    let said = logged(&folder, &at, FROM).await;
    assert!(!said.contains(WHOLE), "{said}");
    assert_eq!(known(&open(&location, ALL)).await, wanted);
}
