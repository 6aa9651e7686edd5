//! A nats-server that takes only small messages: it would refuse events and plans for good, again and again.

use crate::harness::nats::{NatsServer, at};
use crate::harness::{Http, Proxy, Serving, incident, ms, soon};

#[test]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
fn a_nats_server_that_takes_only_small_messages_is_refused() {
    let small = "listen: 127.0.0.1:-1\nmax_payload: 30000\njetstream { store_dir: \"STORE\" }\n";
    let nats = NatsServer::configured(small);
    let location = nats.location("small").display().to_string();
    for args in [&["serve", "--port", "0", "--journal", &location][..], &["check-journal", &location]] {
        let ran = incident(args).run();
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(ran.status == Some(3) && said.contains("max_payload = 30000"), "{ran:?}");
    }
}

/// As another server of the list may have it, or the same one after it was started anew.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn one_that_takes_only_small_messages_after_a_while_is_named() {
    let usual = "listen: 127.0.0.1:-1\njetstream { store_dir: \"STORE\" }\n";
    let nats = NatsServer::configured(usual);
    let proxy = Proxy::to(([127, 0, 0, 1], nats.port).into()).await;
    let server = Serving::with(&["--journal", &at(proxy.address.port(), "small").display().to_string()]);
    for (configuration, wanted) in [(format!("max_payload: 30000\n{usual}"), 503), (usual.to_owned(), 200)] {
        nats.reconfigure(&configuration);
        // The client connects to its server again until that has taken the new configuration.
        let change = async {
            loop {
                proxy.close();
                proxy.open();
                tokio::time::sleep(ms(500)).await;
                let ready = Http::new(server.address(), "GET", "/readyz").send().await;
                if ready.status == wanted && (wanted == 200 || ready.body.contains("max_payload = 30000")) {
                    break;
                }
            }
        };
        soon("the server to say it", change).await;
    }
}
