//! Agents publish into the incident of a receiver while it is settled: what the receiver writes counts all of that.

use incident::contract::Message;
use incident::journal::{ReadLimit, Retention};
use incident::server::Options;

use super::lab::{ended, firing, group};
use super::server::{SECRET, setups};
use crate::harness::{Http, Local, options};
use crate::publish::{action, publish};

#[tokio::test(flavor = "multi_thread")]
async fn a_resolution_counts_what_agents_add_until_then() {
    let more =
        Options { publish_rate: 1_000_000, admit_rate: 1_000_000, receivers: Some(setups("")), ..options() };
    let server = Local::with(more, Retention::default()).await;
    let deliver = async |body: &serde_json::Value| {
        let path = "/hooks/alertmanager/prod";
        let post =
            Http::new(server.address, "POST", path).header("Content-Type", "application/json").bearer(SECRET);
        let reply = post.body(&body.to_string()).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["incidents"][0].as_str().unwrap().to_owned()
    };
    for round in 0..25 {
        let name = format!("A{round}");
        let under = |alert| {
            let mut body = group(&[alert]);
            body["groupKey"] = name.clone().into();
            body
        };
        let subject = deliver(&under(firing(&name, 0))).await;
        let agents: Vec<_> = (0..3)
            .map(|agent| {
                let (address, subject) = (server.address, subject.clone());
                tokio::spawn(async move {
                    for number in 0.. {
                        let id = format!("{subject}-{agent}-{number}");
                        let events = [action(&subject, &id, "note")];
                        if publish(address, &events).await.status != 200 {
                            return;
                        }
                    }
                })
            })
            .collect();
        deliver(&under(ended(&name, 0, 9))).await;
        for agent in agents {
            agent.await.unwrap();
        }
        let events = server.journal.read(0, ReadLimit::ALL).await.unwrap();
        let own: Vec<Message> = events
            .iter()
            .filter(|event| *event.subject == *subject)
            .map(|event| event.message().unwrap())
            .collect();
        let Some(Message::IncidentResolved(resolved)) = own.last() else { panic!("{:?}", own.last()) };
        let actions = own.iter().filter(|message| matches!(message, Message::AgentAction(_))).count();
        assert_eq!(u64::from(resolved.actions.total), actions as u64, "round {round}");
    }
}
