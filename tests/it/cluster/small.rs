//! A nats-server that takes only small messages: it would refuse events and plans for good, again and again.

use crate::harness::incident;
use crate::harness::nats::NatsServer;

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
