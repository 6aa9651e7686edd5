//! What a server that waits for the lease takes for a silence of NATS.

use crate::harness::incident;
use crate::harness::nats::NatsServer;

/// Nobody renews the lease of a server that was killed, until another one may take it. NATS is there all the time.
#[test]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
fn the_silence_of_a_killed_server_is_not_that_of_nats() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let location = nats.location(&name).display().to_string();
    let serve = || {
        let args = ["serve", "--port", "0", "--log-format", "json", "--journal", &location];
        incident(&args).spawn()
    };
    let mut playing = serve();
    playing.says("this server plays the incidents");
    for _ in 0..4 {
        let mut waiting = serve();
        waiting.says("\"ready\"");
        playing.signal("KILL");
        drop(playing);
        let said = waiting.says("this server plays the incidents");
        assert!(said.contains("INFO"), "{said}");
        playing = waiting;
    }
    playing.signal("TERM");
    let said = playing.end().stderr;
    assert!(!said.contains("is lost") && !said.contains("cannot be written"), "{said}");
}
