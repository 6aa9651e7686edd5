//! The verdicts as JUnit XML, which most CI systems show: a suite for each target, a case for each rule.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::super::judged::{Findings, Judged};
use super::escape::line;
use super::items::{self, CHECKED, INTERRUPTED, Item, Level, RUN, SCENARIO};
use crate::check::Verdict;
use crate::cli::exit::{Exit, Failure};

/// The case for what of a contract is not checked.
const CONTRACT: &str = "contract";

/// All verdicts.
pub(super) fn text(found: &Findings) -> Result<String, Failure> {
    let mut report = Report::new("incident validate");
    for error in &found.wrong {
        let case = failure(error.origin(), SCENARIO, NonSuccessKind::Error, &items::mistakes(error));
        suite(&mut report, error.origin(), vec![case]);
    }
    for target in &found.judged {
        suite(&mut report, &target.name, cases(target));
    }
    // Remarks on a target are in its own suite.
    for item in items::all(found).iter().filter(|item| item.rule == RUN && item.level == Level::Error) {
        let case = failure(&item.target, RUN, NonSuccessKind::Error, std::slice::from_ref(item));
        suite(&mut report, &item.target, vec![case]);
    }
    report.to_string().map_err(|error| Failure::new(Exit::Internal, error))
}

fn suite(report: &mut Report, name: &str, cases: Vec<TestCase>) {
    let mut suite = TestSuite::new(line(name));
    suite.add_test_cases(cases);
    report.add_test_suite(suite);
}

fn cases(target: &Judged) -> Vec<TestCase> {
    let mut cases = Vec::new();
    if let Some(item) = items::unchecked(target) {
        cases.push(failure(&target.name, CHECKED, NonSuccessKind::Error, &[item]));
    }
    if let Some(item) = items::interrupted(target) {
        cases.push(failure(&target.name, INTERRUPTED, NonSuccessKind::Error, &[item]));
    }
    if !target.remarks.is_empty() {
        let mut case = named(&target.name, RUN, TestCaseStatus::success());
        let remarks = target.remarks.iter().map(|remark| format!("warning: {}", line(remark)));
        case.set_system_out(remarks.collect::<Vec<_>>().join("\n"));
        cases.push(case);
    }
    if !target.left_out.is_empty() {
        let mut status = TestCaseStatus::skipped();
        status.set_message(line(&format!("not checked: {}", target.left_out.join("; "))));
        cases.push(named(&target.name, CONTRACT, status));
    }
    for (rule, verdict) in &target.results {
        cases.push(match verdict {
            Verdict::Passed(summary) => {
                let mut case = named(&target.name, rule.name, TestCaseStatus::success());
                case.set_system_out(line(summary));
                case
            }
            Verdict::NotChecked(why) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(line(why));
                named(&target.name, rule.name, status)
            }
            Verdict::Failed(findings, more) => {
                let findings = items::failed(target, rule, findings, *more);
                failure(&target.name, rule.name, NonSuccessKind::Failure, &findings)
            }
        });
    }
    cases
}

fn named(target: &str, rule: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(rule, status);
    case.set_classname(line(target));
    case
}

/// A case that did not pass: the first message, and below it everything about each finding.
fn failure(target: &str, rule: &str, kind: NonSuccessKind, items: &[Item]) -> TestCase {
    let mut status = TestCaseStatus::non_success(kind);
    let more: u64 = items.iter().map(|item| item.more).sum();
    let others = (items.len() as u64).saturating_sub(1) + more;
    if let Some(first) = items.first() {
        let others = if others > 0 { format!(" (and {others} more)") } else { String::new() };
        status.set_message(line(&first.message) + &others);
    }
    status.set_type(rule);
    let mut blocks: Vec<String> = items.iter().map(block).collect();
    blocks.extend((more > 0).then(|| format!("and {more} more that are not listed\n")));
    status.set_description(blocks.join("\n"));
    let mut case = named(target, rule, status);
    if let Some(first) = items.first() {
        let place = [("file", first.file.clone()), ("line", first.line.map(|number| number.to_string()))];
        for (name, value) in place {
            case.extra.extend(value.map(|value| (name.into(), line(&value).into())));
        }
    }
    case
}

/// Everything about one finding, a line each.
fn block(item: &Item) -> String {
    let scenario = item.scenario.as_ref().map(|(file, number)| format!("{file}:{number}"));
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let parts = [
        ("at", known(&item.place)),
        ("field", known(&item.pointer)),
        ("file", item.location()),
        ("scenario", scenario),
        ("help", item.hint.clone()),
    ];
    let parts = parts.into_iter().filter_map(|(name, value)| Some(format!("  {name}: {}\n", line(&value?))));
    format!("{}\n{}", line(&item.message), parts.collect::<String>())
}
