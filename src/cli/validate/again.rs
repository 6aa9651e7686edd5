//! The commands that check the same again: the same targets, and what was received.

use std::path::Path;

use super::args::{CLIENTS, SPEED, TIMEOUT, Validate};
use super::judged::{Findings, is_failed};
use crate::client::without_secrets;
use crate::shell::{self, word};

impl Validate {
    /// The commands that check the rules again that failed, with what each is for.
    pub(super) fn again(&self, found: &Findings) -> Vec<(&'static str, String)> {
        let mut rules: Vec<&str> = Vec::new();
        for target in &found.judged {
            let failed = target.names(is_failed);
            let new: Vec<&str> = failed.into_iter().filter(|rule| !rules.contains(rule)).collect();
            rules.extend(new);
        }
        if rules.is_empty() {
            return Vec::new();
        }
        let rules: String = rules.iter().map(|rule| format!(" --rule {}", word(rule))).collect();
        let mut commands = Vec::new();
        // What a shell has opened for this command is gone.
        if !self.files.iter().any(|file| file.starts_with("/dev") || file.starts_with("/proc")) {
            commands.push(("Again", format!("{}{rules}", self.command())));
        }
        let live = found.judged.iter().filter(|target| target.is_live && !target.names(is_failed).is_empty());
        for target in live {
            if let Some(transcript) = &target.transcript {
                let mut words = vec!["incident validate".to_owned()];
                words.push(shell::file(transcript));
                words.extend(
                    target
                        .expected
                        .iter()
                        // The transcript names the expectations of a built-in scenario, which no file has.
                        .filter(|(file, _)| Path::new(file).exists())
                        .map(|(file, _)| format!("--expect {}", shell::file(Path::new(file)))),
                );
                words.extend(self.limits());
                let failed: String =
                    target.names(is_failed).iter().map(|rule| format!(" --rule {}", word(rule))).collect();
                commands.push(("Offline", words.join(" ") + &failed));
            }
        }
        commands
    }

    /// The command with every flag that says what is checked. Those that say what is printed are for the caller. What may be
    /// secret is not in it.
    fn command(&self) -> String {
        let mut words = vec!["incident validate".to_owned()];
        words.extend(self.files.iter().map(|file| shell::file(file)));
        words.extend(self.url.iter().map(|url| format!("--url {}", word(&without_secrets(url)))));
        words.extend(self.sse.iter().map(|url| format!("--sse {}", word(&without_secrets(url)))));
        words.extend(self.trigger.iter().map(|name| format!("--trigger {}", word(name))));
        words.extend(self.listen.iter().map(|time| format!("--for {time}")));
        if TIMEOUT.parse() != Ok(self.timeout) {
            words.push(format!("--timeout {}", self.timeout));
        }
        if self.real_time {
            words.push("--real-time".to_owned());
        } else if SPEED.parse() != Ok(self.speed) {
            words.push(format!("--speed {}", self.speed));
        }
        words.extend(self.expect.iter().map(|file| format!("--expect {}", shell::file(file))));
        words.extend(self.settings.words().map(|pair| format!("--set {}", word(&pair))));
        words.extend(self.limits());
        if self.clients != CLIENTS {
            words.push(format!("--clients {}", self.clients));
        }
        if self.gentle {
            words.push("--gentle".to_owned());
        }
        words.join(" ") + &self.strangers.words() + &self.trust.flags() + &self.token.flags()
    }

    fn limits(&self) -> impl Iterator<Item = String> {
        self.limit.iter().map(|limit| format!("--limit {}", word(limit)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Args;

    use super::*;

    /// What is printed and where; rules are added by what failed.
    const OUTPUT: [&str; 8] =
        ["format", "report", "transcripts", "list", "timeline", "watch", "rule", "skip"];

    /// These are printed by the code that reads them.
    const SHARED: [&str; 7] =
        ["cacert", "token-file", "profile", "contract", "send", "header", "subprotocol"];

    #[test]
    fn every_flag_that_says_what_is_checked_is_in_the_command() {
        let command = Validate::augment_args(clap::Command::new("validate"));
        let flags: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        assert!(flags.len() > 15, "{flags:?}");
        let code = include_str!("again.rs").split("#[cfg(test)]").next().unwrap_or_default();
        for flag in flags {
            let known = OUTPUT.contains(&flag) || SHARED.contains(&flag);
            assert!(
                known || code.contains(&format!("\"--{flag}")),
                "--{flag} is not in the command to repeat"
            );
        }
    }
}
