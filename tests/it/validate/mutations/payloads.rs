//! Faults in payloads: what the JSON Schema of each type demands.

use serde_json::{Value, json};

use super::{Fault, caught, fault, remove, set};

pub const STARTED: &[Fault] = &[
    fault("incident_started without synthetic", "schema", "synthetic", "/data*", |s| {
        remove(s.started()?, "synthetic")
    }),
    fault("incident_started without title", "schema", "title", "/data*", |s| remove(s.started()?, "title")),
    fault("incident_started without severity", "schema", "severity", "/data*", |s| {
        remove(s.started()?, "severity")
    }),
    fault("incident_started without services", "schema", "services", "/data*", |s| {
        remove(s.started()?, "services")
    }),
    fault("incident_started without impact_started_at", "schema", "impact_started_at", "/data*", |s| {
        remove(s.started()?, "impact_started_at")
    }),
    fault("title is null", "schema", "title", "/data/title", |s| set(s.started()?, "title", Value::Null)),
    fault("title is a number", "schema", "incident_started", "/data/title", |s| {
        set(s.started()?, "title", 5)
    }),
    fault("synthetic is a text", "schema", "incident_started", "/data/synthetic", |s| {
        set(s.started()?, "synthetic", "true")
    }),
    fault("SEV9", "schema", "incident_started", "/data/severity", |s| set(s.started()?, "severity", "SEV9")),
    fault("sev1", "schema", "incident_started", "/data/severity", |s| set(s.started()?, "severity", "sev1")),
    fault("services is a text", "schema", "incident_started", "/data/services", |s| {
        set(s.started()?, "services", "checkout")
    }),
    fault("a service is a number", "schema", "incident_started", "/data/services/0", |s| {
        set(s.started()?, "services", json!([1]))
    }),
    fault("impact_started_at is a date", "schema", "incident_started", "/data/impact_started_at", |s| {
        set(s.started()?, "impact_started_at", "2026-11-22")
    }),
    fault("impact_started_at is a number", "schema", "incident_started", "/data/impact_started_at", |s| {
        set(s.started()?, "impact_started_at", 5)
    }),
    fault("the title has another name", "schema", "title", "/data*", |s| {
        let title = s.started()?.remove("title")?;
        set(s.started()?, "name", title)
    }),
    fault("phases is an object", "schema", "incident_started", "/data/phases", |s| {
        s.is_drill()?;
        set(s.started()?, "phases", json!({}))
    }),
    fault("a phase without a name", "schema", "name", "/data/phases/0*", |s| {
        remove(s.started()?.get_mut("phases")?[0].as_object_mut()?, "name")
    }),
    fault("a phase starts before 0", "schema", "incident_started", "/data/phases/0/start_s", |s| {
        set(s.started()?.get_mut("phases")?[0].as_object_mut()?, "start_s", -1)
    }),
    fault("a phase ends at a text", "schema", "incident_started", "/data/phases/0/end_s", |s| {
        set(s.started()?.get_mut("phases")?[0].as_object_mut()?, "end_s", "25")
    }),
    fault("a phase plays below 0", "schema", "incident_started", "/data/phases/0/play_s", |s| {
        set(s.started()?.get_mut("phases")?[0].as_object_mut()?, "play_s", -1)
    }),
    fault("an agent without a role", "schema", "role", "/data/agents/0*", |s| {
        remove(s.started()?.get_mut("agents")?[0].as_object_mut()?, "role")
    }),
    fault("a metric without a unit", "schema", "unit", "/data/metrics/0*", |s| {
        remove(s.started()?.get_mut("metrics")?[0].as_object_mut()?, "unit")
    }),
    fault("a target below 0", "schema", "incident_started", "/data/target_s", |s| {
        set(s.started()?, "target_s", -1)
    }),
    fault("speed 0", "schema", "incident_started", "/data/speed", |s| set(s.started()?, "speed", 0)),
    fault("speed is a text", "schema", "incident_started", "/data/speed", |s| {
        set(s.started()?, "speed", "fast")
    }),
    fault("a run without a digest", "schema", "digest", "/data/run*", |s| {
        remove(s.started()?.get_mut("run")?.as_object_mut()?, "digest")
    }),
    fault("a seed below 0", "schema", "incident_started", "/data/run/seed", |s| {
        set(s.started()?.get_mut("run")?.as_object_mut()?, "seed", -1)
    }),
    fault("a start without its second", "schema", "offset_s", "/data/offset_s", |s| {
        s.is_drill()?;
        remove(s.started()?, "offset_s")
    }),
    fault("a start before second 0", "schema", "incident_started", "/data/offset_s", |s| {
        set(s.started()?, "offset_s", -0.5)
    }),
];

pub const ACTION: &[Fault] = &[
    fault("agent_action without synthetic", "schema", "synthetic", "/data*", |s| {
        remove(s.action("agent")?, "synthetic")
    }),
    fault("agent_action without agent", "schema", "agent", "/data*", |s| remove(s.action("agent")?, "agent")),
    fault("agent_action without action", "schema", "action", "/data*", |s| {
        remove(s.action("agent")?, "action")
    }),
    fault("agent_action without status", "schema", "status", "/data*", |s| {
        remove(s.action("agent")?, "status")
    }),
    fault("agent_action without summary", "schema", "summary", "/data*", |s| {
        remove(s.action("agent")?, "summary")
    }),
    fault("summary is null", "schema", "agent_action", "/data/summary", |s| {
        set(s.action("agent")?, "summary", Value::Null)
    }),
    fault("agent is a number", "schema", "agent_action", "/data/agent", |s| {
        set(s.action("agent")?, "agent", 5)
    }),
    fault("step is a number", "schema", "agent_action", "/data/step", |s| set(s.action("step")?, "step", 5)),
    fault("an unknown status", "schema", "agent_action", "/data/status", |s| {
        set(s.action("agent")?, "status", "done")
    }),
    fault("confidence 1.5", "schema", "agent_action", "/data/confidence", |s| {
        set(s.action("agent")?, "confidence", 1.5)
    }),
    fault("confidence below 0", "schema", "agent_action", "/data/confidence", |s| {
        set(s.action("agent")?, "confidence", -0.1)
    }),
    fault("confidence is a text", "schema", "agent_action", "/data/confidence", |s| {
        set(s.action("agent")?, "confidence", "high")
    }),
    fault("attempt 0", "schema", "agent_action", "/data/attempt", |s| set(s.action("agent")?, "attempt", 0)),
    fault("attempt 1.5", "schema", "agent_action", "/data/attempt", |s| {
        set(s.action("agent")?, "attempt", 1.5)
    }),
    fault("caused by event 0", "schema", "agent_action", "/data/caused_by", |s| {
        set(s.action("agent")?, "caused_by", 0)
    }),
    fault("caused by a text", "schema", "agent_action", "/data/caused_by", |s| {
        set(s.action("agent")?, "caused_by", "alert")
    }),
    fault("an unknown milestone", "schema", "agent_action", "/data/marks/0", |s| {
        set(s.action("agent")?, "marks", json!(["closed"]))
    }),
    fault("a milestone that is no list", "schema", "agent_action", "/data/marks", |s| {
        set(s.action("agent")?, "marks", "detected")
    }),
    fault("late below 0", "schema", "agent_action", "/data/late_s", |s| {
        set(s.action("agent")?, "late_s", -1)
    }),
    fault("hypotheses is an object", "schema", "agent_action", "/data/hypotheses", |s| {
        set(s.action("hypotheses")?, "hypotheses", json!({}))
    }),
    fault("a probability of 1.5", "schema", "agent_action", "/data/hypotheses/0/p", |s| {
        set(s.action("hypotheses")?["hypotheses"][0].as_object_mut()?, "p", 1.5)
    }),
    fault("a probability below 0", "schema", "agent_action", "/data/hypotheses/0/p", |s| {
        set(s.action("hypotheses")?["hypotheses"][0].as_object_mut()?, "p", -0.5)
    }),
    fault("a hypothesis without a claim", "schema", "claim", "/data/hypotheses/0*", |s| {
        remove(s.action("hypotheses")?["hypotheses"][0].as_object_mut()?, "claim")
    }),
    fault("a forecast without p50", "schema", "p50", "/data/forecast*", |s| {
        remove(s.action("forecast")?["forecast"].as_object_mut()?, "p50")
    }),
    fault("a forecast without a unit", "schema", "unit", "/data/forecast*", |s| {
        remove(s.action("forecast")?["forecast"].as_object_mut()?, "unit")
    }),
    fault("evidence without a ref", "schema", "ref", "/data/evidence/0*", |s| {
        remove(s.action("evidence")?["evidence"][0].as_object_mut()?, "ref")
    }),
    fault("the value of evidence is a text", "schema", "agent_action", "/data/evidence/0/value", |s| {
        set(s.action("evidence")?["evidence"][0].as_object_mut()?, "value", "much")
    }),
    fault("an action of a drill without its second", "schema", "no offset_s", "/data/offset_s", |s| {
        s.is_drill()?;
        remove(s.action("agent")?, "offset_s")
    }),
    fault("an action before second 0", "schema", "agent_action", "/data/offset_s", |s| {
        set(s.action("agent")?, "offset_s", -2)
    }),
    fault("the second of an action is a text", "schema", "agent_action", "/data/offset_s", |s| {
        set(s.action("agent")?, "offset_s", "2")
    }),
    fault("phase is a number", "schema", "agent_action", "/data/phase", |s| {
        set(s.action("agent")?, "phase", 1)
    }),
];

pub const OTHERS: &[Fault] = &[
    fault("system_metrics without synthetic", "schema", "synthetic", "/data*", |s| {
        remove(s.middle()?, "synthetic")
    }),
    fault("system_metrics without metrics", "schema", "metrics", "/data*", |s| {
        remove(s.middle()?, "metrics")
    }),
    fault("incident_resolved without synthetic", "schema", "synthetic", "/data*", |s| {
        remove(s.end()?, "synthetic")
    }),
    fault("incident_resolved without outcome", "schema", "outcome", "/data*", |s| {
        remove(s.end()?, "outcome")
    }),
    fault("incident_resolved without summary", "schema", "summary", "/data*", |s| {
        remove(s.end()?, "summary")
    }),
    fault("incident_resolved without durations", "schema", "durations", "/data*", |s| {
        remove(s.end()?, "durations")
    }),
    fault("incident_resolved without actions", "schema", "actions", "/data*", |s| {
        remove(s.end()?, "actions")
    }),
    fault("stream_opened without contract", "schema", "contract", "/data*", |s| {
        remove(s.greeting().as_object_mut()?, "contract")
    }),
    fault("stream_opened without stream", "schema", "stream", "/data*", |s| {
        remove(s.greeting().as_object_mut()?, "stream")
    }),
    fault("stream_opened without head", "schema", "head", "/data*", |s| {
        remove(s.greeting().as_object_mut()?, "head")
    }),
    fault("stream_opened without oldest", "schema", "oldest", "/data*", |s| {
        remove(s.greeting().as_object_mut()?, "oldest")
    }),
    fault("stream_opened without follows", "schema", "follows", "/data*", |s| {
        remove(s.greeting().as_object_mut()?, "follows")
    }),
    fault("stream_opened without heartbeat_ms", "schema", "heartbeat_ms", "/data*", |s| {
        remove(s.greeting().as_object_mut()?, "heartbeat_ms")
    }),
    fault("stream_opened without server_time", "schema", "server_time", "/data*", |s| {
        remove(s.greeting().as_object_mut()?, "server_time")
    }),
    fault("heartbeat without stream", "schema", "stream", "/data*", |s| remove(s.beat()?, "stream")),
    fault("heartbeat without head", "schema", "head", "/data*", |s| remove(s.beat()?, "head")),
    fault("heartbeat without state", "schema", "state", "/data*", |s| remove(s.beat()?, "state")),
    fault("metrics is an array", "schema", "system_metrics", "/data/metrics", |s| {
        set(s.middle()?, "metrics", json!([]))
    }),
    fault("a metric is a text", "schema", "system_metrics", "/data/metrics/error_rate", |s| {
        set(s.middle()?["metrics"].as_object_mut()?, "error_rate", "0.5")
    }),
    fault("a metric is null", "schema", "system_metrics", "/data/metrics/error_rate", |s| {
        set(s.middle()?["metrics"].as_object_mut()?, "error_rate", Value::Null)
    }),
    fault("users below 0", "schema", "system_metrics", "/data/users_affected", |s| {
        set(s.middle()?, "users_affected", -1)
    }),
    fault("half a user", "schema", "system_metrics", "/data/users_affected", |s| {
        set(s.middle()?, "users_affected", 1.5)
    }),
    fault("currency in small letters", "schema", "system_metrics", "/data/cost/currency", |s| {
        set(s.middle()?.get_mut("cost")?.as_object_mut()?, "currency", "usd")
    }),
    fault("currency of four letters", "schema", "system_metrics", "/data/cost/currency", |s| {
        set(s.middle()?.get_mut("cost")?.as_object_mut()?, "currency", "EURO")
    }),
    fault("a cost below 0", "schema", "system_metrics", "/data/cost/total", |s| {
        set(s.middle()?.get_mut("cost")?.as_object_mut()?, "total", -1)
    }),
    fault("a rate below 0", "schema", "system_metrics", "/data/cost/per_minute", |s| {
        set(s.middle()?.get_mut("cost")?.as_object_mut()?, "per_minute", -1)
    }),
    fault("a cost without a rate", "schema", "per_minute", "/data/cost*", |s| {
        remove(s.middle()?.get_mut("cost")?.as_object_mut()?, "per_minute")
    }),
    fault("a sample of a drill without its second", "schema", "no offset_s", "/data/offset_s", |s| {
        s.is_drill()?;
        remove(s.middle()?, "offset_s")
    }),
    fault("a sample with another name for its metrics", "schema", "metrics", "/data*", |s| {
        let metrics = s.middle()?.remove("metrics")?;
        set(s.middle()?, "values", metrics)
    }),
    fault("an unknown outcome", "schema", "incident_resolved", "/data/outcome", |s| {
        set(s.end()?, "outcome", "closed")
    }),
    fault("durations is a number", "schema", "incident_resolved", "/data/durations", |s| {
        set(s.end()?, "durations", 5)
    }),
    fault("durations without the end", "schema", "resolve_s", "/data/durations*", |s| {
        remove(s.end()?["durations"].as_object_mut()?, "resolve_s")
    }),
    fault("a duration below 0", "schema", "incident_resolved", "/data/durations/detect_s", |s| {
        set(s.end()?["durations"].as_object_mut()?, "detect_s", -3)
    }),
    fault("failed actions as a text", "schema", "incident_resolved", "/data/actions/failed", |s| {
        set(s.end()?["actions"].as_object_mut()?, "failed", "3")
    }),
    fault("actions below 0", "schema", "incident_resolved", "/data/actions/total", |s| {
        set(s.end()?["actions"].as_object_mut()?, "total", -3)
    }),
    fault("followups is a text", "schema", "incident_resolved", "/data/followups", |s| {
        set(s.end()?, "followups", "none")
    }),
    fault("users_peak is a text", "schema", "incident_resolved", "/data/users_peak", |s| {
        set(s.end()?, "users_peak", "many")
    }),
    fault("root_cause is a number", "schema", "incident_resolved", "/data/root_cause", |s| {
        set(s.end()?, "root_cause", 1)
    }),
    fault("a resolution of a drill without its second", "schema", "no offset_s", "/data/offset_s", |s| {
        s.is_drill()?;
        remove(s.end()?, "offset_s")
    }),
    fault("contract is a number", "schema", "stream_opened", "/data/contract", |s| {
        set(s.greeting().as_object_mut()?, "contract", 1.0)
    }),
    fault("oldest is 0", "schema", "stream_opened", "/data/oldest", |s| {
        set(s.greeting().as_object_mut()?, "oldest", 0)
    }),
    fault("head is negative", "schema", "stream_opened", "/data/head", |s| {
        set(s.greeting().as_object_mut()?, "head", -1)
    }),
    fault("a heartbeat every 0 ms", "schema", "stream_opened", "/data/heartbeat_ms", |s| {
        set(s.greeting().as_object_mut()?, "heartbeat_ms", 0)
    }),
    fault("server_time is a date", "schema", "stream_opened", "/data/server_time", |s| {
        set(s.greeting().as_object_mut()?, "server_time", "2026-11-22")
    }),
    fault("follows with an unknown kind", "schema", "stream_opened", "/data/follows*", |s| {
        set(s.greeting()["follows"].as_object_mut()?, "kind", "all")
    }),
    fault("follows without its end", "schema", "stream_opened", "/data/follows*", |s| {
        remove(s.greeting()["follows"].as_object_mut()?, "to")
    }),
    fault("a reset without a reason", "schema", "stream_opened", "/data/follows*", |s| {
        set(s.greeting()["follows"].as_object_mut()?, "kind", "reset")
    }),
    fault("a reset with an unknown reason", "schema", "stream_opened", "/data/follows*", |s| {
        let follows = s.greeting()["follows"].as_object_mut()?;
        set(follows, "kind", "reset")?;
        set(follows, "reason", "moon")
    }),
    fault("a heartbeat's head is a text", "schema", "heartbeat", "/data/head", |s| {
        set(s.beat()?, "head", "1")
    }),
    fault("a heartbeat's head is negative", "schema", "heartbeat", "/data/head", |s| {
        set(s.beat()?, "head", -1)
    }),
    fault("a heartbeat with an unknown state", "schema", "heartbeat", "/data/state", |s| {
        set(s.beat()?, "state", "asleep")
    }),
    fault("a heartbeat's reason is a number", "schema", "heartbeat", "/data/reason", |s| {
        set(s.beat()?, "reason", 1)
    }),
    fault("an event of an unknown type", "schema", "the type is \"weather\"", "/type", |s| {
        set(s.event()?, "type", "weather")
    }),
    fault("an event whose type is in capitals", "schema", "System_Metrics", "/type", |s| {
        set(s.event()?, "type", "System_Metrics")
    }),
];

#[test]
fn incident_started() {
    caught(STARTED);
}

#[test]
fn agent_action() {
    caught(ACTION);
}

#[test]
fn samples_resolutions_and_control_messages() {
    caught(OTHERS);
}
