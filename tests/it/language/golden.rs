//! The data of plans, kept as digests: the same file, seed and settings give the same bytes on every machine and at every
//! speed.

use std::collections::HashSet;
use std::sync::Arc;

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, ReadLimit, Retention};
use incident::plan::Plan;
use incident::player::{Player, Speed};
use incident::scenario::{SHIPPED, Scenario, Settings};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::{ensure_file_contents, fixture};

fn digest(plan: &Plan) -> String {
    let mut digest = Sha256::new();
    for event in plan.events() {
        digest.update(event.data().get());
        digest.update("\n");
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each shipped scenario and each of its variants.
fn shipped() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, text) in SHIPPED {
        let scenario = Scenario::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
        let variants = scenario.file.variant.0.iter();
        let variants: Vec<Scenario> =
            variants.map(|(name, _)| scenario.with(&Settings::variant(name.get_ref())).unwrap()).collect();
        all.push(scenario);
        all.extend(variants);
    }
    all
}

/// If this fails, what drills with the same file and seed look like has changed: that has to be meant, and to stand in
/// the changelog.
#[test]
fn the_shipped_scenarios_have_the_data_that_they_had() {
    let mut text = String::from(
        "# SHA-256 of the data of all events, each with a line break; then how many they are.\n",
    );
    for scenario in shipped() {
        let mut seeds = vec![scenario.file.seed, 1, 2];
        let mut seen = HashSet::new();
        seeds.retain(|seed| seen.insert(*seed));
        let variant = scenario.settings.get("variant").map(|name| format!(" variant={name}"));
        for seed in seeds {
            let plan = scenario.compile(seed).unwrap_or_else(|error| panic!("{}: {error}", scenario.id()));
            text += &format!(
                "{} {:>4} {}{} seed={seed}\n",
                digest(&plan),
                plan.events().len(),
                scenario.id(),
                variant.as_deref().unwrap_or_default()
            );
        }
    }
    ensure_file_contents(&[(fixture("golden/plans.txt"), text)]);
}

/// The name of a file, the order in which things are compiled and the thread are not a part of what is played.
#[test]
fn nothing_but_file_seed_and_settings_is_in_a_plan() {
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            std::thread::spawn(move || {
                let mut digests = Vec::new();
                let mut files = SHIPPED.to_vec();
                files.rotate_left(thread * 3);
                for (name, text) in files {
                    let origin = format!("/somewhere/{thread}/{name}");
                    let scenario = Scenario::parse(&origin, text).unwrap();
                    scenario.compile(thread as u64 + 7).unwrap();
                    digests.push((name, digest(&scenario.compile(1).unwrap())));
                }
                digests.sort_unstable();
                digests
            })
        })
        .collect();
    let all: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Speed divides when events are due, and stands in the first of them; it is nowhere else.
#[tokio::test(start_paused = true)]
async fn what_is_played_is_the_plan_at_every_speed() {
    let (_, text) = SHIPPED.iter().find(|(name, _)| *name == "noise.toml").unwrap();
    let plan = Scenario::parse("noise.toml", text).unwrap().compile(3).unwrap();
    for speed in [0.25, 1.0, 30.0, 1_000.0] {
        let stream = StreamId::generate(1_700_000_000_000, 3);
        let journal = Journal::new(Memory::new(stream, Retention::default()));
        let tasks = TaskTracker::new();
        let player = Player::new(journal.clone(), tasks.clone(), CancellationToken::new(), Arc::default());
        player.start(plan.clone(), Speed::new(speed).unwrap()).await.unwrap();
        tasks.close();
        tasks.wait().await;
        let stored = journal.read(0, ReadLimit::ALL).await.unwrap();
        assert_eq!(stored.len(), plan.events().len());
        for (played, planned) in stored.iter().zip(plan.events()) {
            let (played, planned) = (played.data.get(), planned.data().get());
            if played == planned {
                continue;
            }
            let [mut played, mut planned] =
                [played, planned].map(|data| serde_json::from_str::<Value>(data).unwrap());
            assert_eq!(played["speed"], speed, "only the start differs: {played}");
            for start in [&mut played, &mut planned] {
                let start = start.as_object_mut().unwrap();
                assert!(start.remove("speed").is_some() && start.remove("impact_started_at").is_some());
            }
            assert_eq!(played, planned);
        }
    }
}
