//! The crates that the project depends on: where they come from, their licences, which are banned or built twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use crate::harness::root;

/// Licences that both of ours are compatible with. MPL-2.0 covers the files of its crate only.
const LICENSES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "ISC",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

/// TLS is rustls with ring, and nothing else.
const BANNED: &[&str] = &["aws-lc-sys", "native-tls", "openssl", "openssl-sys"];

/// Crates of which the program contains more than one version, because its dependencies don't agree.
const DUPLICATES: &[&str] = &["getrandom", "unicode-width"];

/// Those of which `nkeys` brings an older version: what signs for NATS still has older crates for digests and random numbers.
const OF_NKEYS: &[&str] = &[
    "block-buffer",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "rand",
    "rand_chacha",
    "rand_core",
    "sha2",
    "syn",
];

/// What `cargo tree` says of every crate on this platform, a line each, without repetitions.
fn tree(edges: &str, format: &str) -> BTreeSet<String> {
    let ran = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--edges", edges, "--format", format])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).unwrap();
    lines
        .lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// Whether an SPDX expression lets us choose allowed licences. Old crates write `/` for `OR`.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace(" / ", " OR ").replace('/', " OR ");
    // `AND` binds tighter than `OR`: what mixes them without parentheses is for a person to read.
    let mixed = expression.contains(" AND ") && expression.contains(" OR ") && !expression.contains('(');
    let allowed = |license: &str| LICENSES.contains(&license.trim());
    let clause = |clause: &str| clause.trim_matches(['(', ')']).split(" OR ").any(allowed);
    !mixed && expression.split(" AND ").all(clause)
}

#[test]
fn every_license_is_allowed() {
    let crates = tree("normal,build,dev", "{l}|{p}");
    assert!(crates.len() > 150, "only {} crates were found", crates.len());
    let wrong = crates.iter().filter(|line| !is_allowed(line.split('|').next().unwrap())).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn license_expressions_are_read_as_spdx_means_them() {
    for allowed in
        ["MIT", "GPL-3.0 OR MIT", "Unlicense/MIT", "(GPL-3.0 OR MIT) AND Unicode-3.0", "MIT AND ISC"]
    {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for not_allowed in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "MIT OR GPL-3.0 AND ISC"]
    {
        assert!(!is_allowed(not_allowed), "{not_allowed}");
    }
}

#[test]
fn every_crate_comes_from_crates_io_and_none_is_banned() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let value =
        |line: &str, key: &str| line.strip_prefix(key).map(|value| value.trim_matches('"').to_owned());
    let sources: BTreeSet<String> = lock.lines().filter_map(|line| value(line, "source = ")).collect();
    assert_eq!(sources, ["registry+https://github.com/rust-lang/crates.io-index".to_owned()].into());
    let names: BTreeSet<String> = lock.lines().filter_map(|line| value(line, "name = ")).collect();
    let banned = BANNED.iter().filter(|name| names.contains(**name)).collect::<Vec<_>>();
    assert!(banned.is_empty(), "{banned:?}");
}

/// What one dependency more costs is hard to see; a second version of a crate is easy to see.
#[test]
fn the_program_contains_no_crate_twice_but_for_the_known() {
    let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
    for line in tree("normal,build", "{p}") {
        let mut words = line.split(' ').map(str::to_owned);
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        versions.entry(name).or_default().insert(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let found = versions.keys().map(String::as_str).collect::<Vec<_>>();
    let mut known = [DUPLICATES, OF_NKEYS].concat();
    known.sort_unstable();
    assert_eq!(found, known, "{versions:?}");
}
