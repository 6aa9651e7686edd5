//! Two runs beside each other, and a run once more: where they first differ is named, and a replay shows what was so at each moment.

use serde_json::{Value, json};

use super::checks::hold;
use super::driver::Browser;
use super::screenshots::{SIZES, picture};
use crate::harness::{Http, Serving, get};

const ESCAPE: char = '\u{e00c}';

/// Plays a shipped scenario to its end.
async fn played(serving: &Serving, body: Value) -> String {
    let reply = Http::trigger(serving.address(), &body.to_string()).send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    while get(serving.address(), &format!("/api/incidents/{id}")).await.json()["state"] == "open" {
        tokio::time::sleep(crate::harness::ms(20)).await;
    }
    id
}

fn shipped() -> Serving {
    Serving::alone(&["serve", "--port", "0", "--json", "--quiet", "--speed", "2000"])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_first_difference_of_two_runs_is_named_and_both_are_on_one_axis() {
    let serving = shipped();
    let plain = played(&serving, json!({ "scenario": "database-outage" })).await;
    let variant = json!({ "scenario": "database-outage", "settings": { "variant": "failover-fails" } });
    let failing = played(&serving, variant).await;
    let root = format!("http://{}/", serving.address());
    let page = Browser::open(&format!("{root}?incident={failing}")).await;
    page.until("the run", "document.querySelector('#result')").await;
    page.keys("d").await;
    page.until("the comparison", "document.querySelector('.difference strong')").await;
    let told = page.text(".difference").await;
    assert!(told.starts_with("First difference at T+02:06"), "{told}");
    for part in [
        "The replica serves",
        "(failed): The replica refuses",
        "A seed 42",
        "B variant failover-fails, seed 42",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let rows = "[...document.querySelectorAll('.compare-table tbody tr')].map((row) => [...row.children].map((cell) => cell.innerText))";
    let rows = page.value(rows).await;
    assert_eq!(rows[0], json!(["Detected", "00:07", "00:07", "same"]));
    assert_eq!(rows[3][0], "Ended");
    assert!(rows[3][3].as_str().unwrap().starts_with('+'), "{rows}");
    // The phases of both, the cost, and a chart for each hypothesis.
    let tracks = "[...document.querySelectorAll('.compare-track')].map((track) => \
                  [...track.querySelectorAll('.compare-phase')].map((phase) => phase.dataset.phase).join(' '))";
    let phases = "detect diagnose predict resolve verify";
    assert_eq!(page.value(tracks).await, json!([phases, phases]));
    let failed = "[...document.querySelectorAll('.compare-track')].map((track) => track.querySelectorAll('.compare-failed').length)";
    assert_eq!(page.value(failed).await, json!([3, 4]));
    assert!(page.value("document.querySelectorAll('.compare-chart').length").await.as_u64().unwrap() >= 3);

    // The cursor of both, with the keyboard; the comparison is a link; and back.
    page.value("document.querySelector('.compare-body').focus()").await;
    page.keys("\u{e014}\u{e014}").await;
    page.until("the cursor", "document.querySelector('.compare-cursor').checkVisibility()").await;
    assert!(
        page.text(".compare-readout").await.contains("A: Resolve"),
        "{}",
        page.text(".compare-readout").await
    );
    let link = page.value("location.href").await;
    assert!(link.as_str().unwrap().contains(&format!("compare={plain}&compare={failing}")), "{link}");
    page.keys(&ESCAPE.to_string()).await;
    page.until("the run", "document.documentElement.dataset.view === 'incident'").await;
    page.goto(link.as_str().unwrap()).await;
    page.until("the comparison", "document.querySelector('.difference strong')").await;
    assert_eq!(page.text(".difference").await, told);

    page.goto(&format!("{root}?compare={plain}&compare={plain}")).await;
    page.until(
        "no difference",
        "document.querySelector('.difference strong')?.innerText === 'No difference'",
    )
    .await;
    page.goto(&format!("{root}?compare={plain}&compare=nothing")).await;
    page.until("a problem", "document.querySelector('compare-panel .problem').innerText.includes('nothing')")
        .await;
    for size in SIZES {
        let page = Browser::sized(size, link.as_str().unwrap()).await;
        page.until("the comparison", "document.querySelector('.difference strong')").await;
        hold(&page, &format!("a comparison at {size:?}")).await;
        picture(&page, size, "compare").await;
    }
}

/// The comparison itself, on made-up runs: what is named, whatever comes earlier or later by a little.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn small_shifts_are_no_difference_and_swapped_steps_are_the_same() {
    let serving = shipped();
    let page = Browser::open(&format!("http://{}/", serving.address())).await;
    let script = "
        const { firstDifference } = await import('/compare.js');
        const run = ([state, ...steps]) => ({
          incident: { state }, end_s: steps.at(-1)?.[1] ?? 0,
          steps: steps.map(([key, offset_s]) => ({ key, offset_s })),
        });
        return args[0].map(([a, b]) => {
          const found = firstDifference(run(a), run(b));
          return [found.kind, found.offset_s, found.a?.key ?? null, found.b?.key ?? null];
        });";
    let given = json!([
        [["resolved", ["x", 1], ["y", 2]], ["resolved", ["y", 1.9], ["x", 2]]],
        [["resolved", ["x", 1], ["y", 20]], ["resolved", ["x", 1], ["z", 21]]],
        [["resolved", ["x", 1], ["y", 20]], ["resolved", ["x", 1]]],
        [["resolved", ["x", 1], ["y", 20]], ["resolved", ["x", 1], ["y", 23]]],
        [["resolved", ["x", 1], ["x", 2], ["end", 100]], ["resolved", ["x", 1], ["end", 100]]],
        [["resolved", ["x", 1], ["y", 60], ["end", 100]], ["open", ["x", 1]]],
        [["resolved", ["x", 1], ["late", 90]], ["resolved", ["x", 1], ["early", 10], ["late", 90]]],
    ]);
    let wanted = json!([
        ["none", 0, null, null],
        ["steps", 20, "y", "z"],
        ["steps", 20, "y", null],
        ["times", 20, "y", "y"],
        ["steps", 2, "x", null],
        ["none", 0, null, null],
        ["steps", 10, null, "early"],
    ]);
    assert_eq!(page.run(script, vec![given]).await, wanted);
}

/// Two runs of 20,000 equal steps: how often the second of a step is looked at.
const LOOKS: &str = r"
    const { firstDifference } = await import('/compare.js');
    let looks = 0;
    const run = (shift) => ({
      incident: { state: 'resolved' }, end_s: 40_000,
      steps: Array.from({ length: 20_000 }, (_, n) => ({ key: 'poll', get offset_s() { looks += 1; return 2 * n + shift; } })),
    });
    const { kind, offset_s } = firstDifference(run(0), run(0.5));
    return [kind, offset_s, looks];
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn long_runs_are_compared_without_looking_at_each_pair() {
    let serving = shipped();
    let page = Browser::open(&format!("http://{}/", serving.address())).await;
    let told = page.run(LOOKS, vec![]).await;
    assert_eq!((&told[0], &told[1]), (&json!("none"), &json!(0)));
    assert!(told[2].as_u64().unwrap() < 20_000 * 60, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn of_a_run_that_goes_on_only_what_is_new_is_loaded() {
    use crate::harness::{Local, action, resolved, started};

    let server = Local::start().await;
    server.append(vec![started("ended"), action("ended", 2, "Looked"), resolved("ended", 3)]).await;
    server.append(vec![started("open"), action("open", 2, "Looked")]).await;
    let page = Browser::open(&format!("http://{}/?compare=ended&compare=open", server.address)).await;
    page.until("the comparison", "document.querySelector('.difference strong')").await;
    for index in 3..12 {
        server.append(vec![action("open", index, "Looked again")]).await;
        let received = format!("document.querySelector('#received').dataset.last === '{}'", index + 3);
        page.until("the event", &received).await;
    }
    server.append(vec![resolved("open", 12)]).await;
    let ended = "[...document.querySelectorAll('.compare-row .sub')].filter((sub) => sub.innerText.startsWith('resolved')).length === 2";
    page.until("its end", ended).await;
    let asked = |id: &str| {
        format!(
            "performance.getEntriesByType('resource').map(({{ name }}) => name.split('/api/incidents/{id}/events?after=')[1]).filter(Boolean)"
        )
    };
    assert_eq!(page.value(&format!("{}.length", asked("ended"))).await, 1);
    assert_eq!(page.value(&format!("{}.filter((after) => after === '0').length", asked("open"))).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn what_has_ended_is_replayed_at_a_speed_that_is_chosen_and_stops_where_it_is_told() {
    let serving = shipped();
    let id = played(&serving, json!({ "scenario": "database-outage" })).await;
    let page = Browser::open(&format!("http://{}/?incident={id}", serving.address())).await;
    page.until("the run", "document.querySelector('#result')").await;
    let speeds = "[...document.querySelectorAll('#replay-speed option')].map((one) => one.innerText)";
    assert_eq!(page.value(speeds).await, json!(["1×", "2×", "5×", "10×", "20×"]));
    page.keys("++++k").await;
    page.until("the start", "document.querySelector('#headline').dataset.state === 'open'").await;
    assert_eq!(page.value("document.querySelector('#replay-speed').value").await, "20");
    assert_eq!(page.text("#connection").await, "Replay");
    let phase = |name: &str| format!("document.querySelector('#headline').dataset.phase === '{name}'");
    page.until("the second phase", &phase("diagnose")).await;
    let rows = "document.querySelectorAll('#feed [data-position]').length";
    assert!(page.value(rows).await.as_u64().unwrap() < 12, "what came later is not shown");
    page.keys("k").await;
    page.until("the pause", "document.querySelector('#scrub-state').innerText === 'PAUSED'").await;
    let moment = "document.querySelector('#scrub').ariaValueText";
    let stopped = page.value(moment).await;
    // A clock of the page as fast as that of a replay: what still ran would have gone on before it.
    let ticks = "await new Promise((enough) => { let left = 6; const clock = setInterval(() => {
                   if ((left -= 1) === 0) { clearInterval(clock); enough(); } }, 66); });";
    page.run(ticks, vec![]).await;
    assert_eq!(page.value(moment).await, stopped, "it stands still");
    // The moment is in the address, and a reload shows it.
    page.until("it in the address", "new URLSearchParams(location.search).get('t') > 0").await;
    page.refresh().await;
    page.until("the moment", &format!("{moment} === {stopped}")).await;
    page.keys("++++k").await;
    page.until("the end", "document.querySelector('#scrub-state').innerText === 'END'").await;
    assert_eq!(page.value("document.querySelector('#headline').dataset.state").await, "resolved");
    assert_eq!(page.text("#connection").await, "Live");
    page.until("no moment in the address", "!location.search.includes('&t=')").await;
}
