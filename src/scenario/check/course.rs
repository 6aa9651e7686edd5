//! What the plan of a sound file shows: phases in which nothing happens, and silence.

use crate::plan::Plan;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::duration::Micros;
use crate::scenario::file::ScenarioFile;

/// The warnings on the course of an incident; `empty` are the numbers of the phases in which no step begins or ends.
pub(in crate::scenario) fn course(file: &ScenarioFile, plan: &Plan, empty: &[usize]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    phases(file, empty, &mut found);
    silence(file, plan, &mut found);
    found
}

fn phases(file: &ScenarioFile, empty: &[usize], found: &mut Vec<Diagnostic>) {
    for phase in empty.iter().filter_map(|place| file.phases.get(*place)) {
        let message = format!("no agent does anything in phase {:?}", phase.name.get_ref());
        let warning = Diagnostic::new(phase.name.span(), message, "an empty phase").warning();
        found.push(warning.help("give it a step, or leave the phase out"));
    }
}

/// Silence that the file itself does not want.
fn silence(file: &ScenarioFile, plan: &Plan, found: &mut Vec<Diagnostic>) {
    let Some(expect) = &file.expect else { return };
    let Some(most) = expect.get_ref().max_silence else { return };
    let pauses = plan.events().windows(2).map(|pair| (pair[1].due - pair[0].due, pair[0].due));
    let Some((pause, since)) = pauses.max().filter(|(pause, _)| *pause > most.0) else { return };
    let message =
        format!("{} of silence on screen from {}, but max_silence is {most}", Micros(pause), Micros(since));
    let warning = Diagnostic::new(expect.span(), message, "this is not kept").warning();
    found.push(warning.help("lower metrics_every, add a step, or give the phase a shorter `play`"));
}
