//! The laws that can be read from the tree: who may know whom, which files may do what.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table(path: &str) -> toml::Table {
    fs::read_to_string(root().join(path)).expect(path).parse().expect(path)
}

fn own_dependencies(path: &str) -> BTreeSet<String> {
    let manifest = table(path);
    let list = manifest.get("dependencies").and_then(toml::Value::as_table);
    list.into_iter().flat_map(|list| list.keys()).filter(|name| name.starts_with("argonaut-")).cloned().collect()
}

/// One line, one crate: folder, and the crates of this workspace that it may know.
const LAYERS: [(&str, &[&str]); 6] = [
    ("engine", &[]),
    ("actors", &["argonaut-engine"]),
    ("venues/paper", &["argonaut-engine"]),
    ("research", &["argonaut-engine"]),
    ("persistence", &["argonaut-actors", "argonaut-engine"]),
    ("gateway", &["argonaut-actors", "argonaut-engine"]),
];

#[test]
fn every_crate_knows_only_whom_it_may() {
    for (folder, allowed) in LAYERS {
        let known = own_dependencies(&format!("{folder}/Cargo.toml"));
        let strangers: Vec<_> = known.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(strangers.is_empty(), "{folder} must not depend on {strangers:?}");
    }
    let members = table("Cargo.toml")["workspace"]["members"].as_array().expect("members").len();
    assert_eq!(members, LAYERS.len(), "a new crate needs its line in LAYERS");
}

/// Rust sources of the product: no tests, benches, examples or fuzz targets, no comments.
fn product_sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let folders =
        ["src", "engine/src", "actors/src", "venues/paper/src", "research/src", "persistence/src", "gateway/src"];
    for folder in folders {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 50, "the walk must find the sources, it found {}", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).expect("a text");
            let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let plain = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.push((name, plain.map(|line| format!("{line}\n")).collect()));
        }
    }
}

/// Where a word may stand: one line, one rule.
const RULES: [(&str, &[&str], &str); 11] = [
    ("SystemTime::now", &["actors/src/clock.rs"], "one file reads the wall clock"),
    ("getrandom::", &["gateway/src/entropy.rs"], "one file draws entropy"),
    ("unbounded", &[], "no unbounded queue anywhere"),
    (".do_send(", &[], "do_send bypasses the mailbox limit"),
    ("mpsc::channel()", &[], "std's channel has no bound"),
    ("todo!(", &[], "nothing unfinished"),
    ("unimplemented!(", &[], "nothing unfinished"),
    ("argonaut_persistence::sql", &["src/wiring/", "src/commands/user.rs"], "SQL is a projection"),
    ("0.0.0.0", &[], "nothing listens beyond this machine unless configured"),
    ("HashMap", &["gateway/src/", "persistence/src/sql/", "research/src/", "src/"], "no map of chance on the lane"),
    ("println!", &["src/commands/", "src/bin/", "src/wiring/"], "only commands print"),
];

#[test]
fn words_stand_only_where_they_may() {
    let sources = product_sources();
    let mut broken = Vec::new();
    for (word, places, why) in RULES {
        for (name, code) in &sources {
            if code.contains(word) && !places.iter().any(|place| name.starts_with(place)) {
                broken.push(format!("{name}: {word} ({why})"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = product_sources()
        .iter()
        .map(|(name, _)| (name, fs::read_to_string(root().join(name)).expect("a text").lines().count()))
        .filter(|(_, lines)| *lines > 600)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "past 600 lines, split by purpose:\n{}", long.join("\n"));
}

#[test]
fn one_file_changes_an_orders_status() {
    let writers: Vec<String> = product_sources()
        .into_iter()
        .filter(|(name, _)| name.starts_with("engine/") || name.starts_with("actors/"))
        .filter(|(_, code)| {
            code.lines().any(|line| line.contains("order.status = ") || line.contains(".status = OrdStatus"))
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(writers, ["engine/src/order/status.rs"], "only the transition table writes an order's status");
}
