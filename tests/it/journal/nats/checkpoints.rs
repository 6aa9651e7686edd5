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

/// Changes what is wrong in no way that a start could see: it shows whether a start has used the checkpoint.
fn marked(snapshot: &mut Value) {
    snapshot["keys"][0][4] = json!(BASE64.encode(&[9; 32]));
}

/// Waits until the newest checkpoint is another one.
async fn replaced(name: &str, before: &[u8]) {
    soon("another checkpoint", async {
        while stored(name, "").await == before {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
}

/// Changes the mark of a checkpoint and what is in it.
type Damage<'a> = &'a dyn Fn(&mut Value, &mut Value);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_start_goes_on_from_a_checkpoint_or_reads_everything() {
    let name = NatsServer::fresh_name();
    let location = NatsServer::shared().location(&name);
    let log = open(&location, ALL);
    fill(&log).await;
    assert_eq!(log.extent().head, EVENTS);
    let wanted = known(&log).await;
    replaced(&name, b"").await;
    drop(log);
    assert_eq!(known(&open(&location, ALL)).await, wanted);
    forge(&name, &|_, inside| marked(inside)).await;
    let log = open(&location, ALL);
    assert_ne!(known(&log).await, wanted, "the start has used the checkpoint");
    // What follows it is read.
    append(&log, story("later", 10)).await;
    assert_eq!(log.extent().head, EVENTS + 10);
    drop(log);
    let wanted = {
        forge(&name, &|mark, _| mark["digest"] = json!("00")).await;
        known(&open(&location, ALL)).await
    };
    let damages: [(&str, Damage); 3] = [
        ("the name", &|mark, _| mark["stream"] = json!("0000000000000000")),
        ("the chain", &|_, inside| inside["chain"] = json!(1)),
        ("the format", &|_, inside| inside["format"] = json!(2)),
    ];
    for (what, damage) in damages {
        forge(&name, &|mark, inside| {
            marked(inside);
            damage(mark, inside);
        })
        .await;
        let forged = stored(&name, "").await;
        let log = open(&location, ALL);
        assert_eq!(known(&log).await, wanted, "{what} is damaged");
        replaced(&name, &forged).await;
        drop(log);
        assert_eq!(known(&open(&location, ALL)).await, wanted, "after {what} was damaged");
    }
}
