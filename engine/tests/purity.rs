//! The first law: the engine has no clock, randomness, input or output, async, logging, float, lock or map
//! whose order is chance. Read from its manifest and its sources, so that no review can miss it.

use std::fs;
use std::path::{Path, PathBuf};

/// Arithmetic and derived code only. `postcard` turns a strategy's state into bytes and back in memory.
const ALLOWED: [&str; 4] = ["postcard", "rust_decimal", "serde", "thiserror"];

/// Words that have no place in the engine, and why.
const BANNED: [(&str, &str); 30] = [
    ("Instant", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("std::time", "time is an argument"),
    ("core::time", "Span is our unit of time"),
    ("rand", "no randomness"),
    ("getrandom", "no randomness"),
    ("RandomState", "its keys are chance"),
    ("HashMap", "its order is chance"),
    ("HashSet", "its order is chance"),
    ("f32", "money is never float"),
    ("f64", "money is never float"),
    ("std::fs", "no files"),
    ("std::net", "no sockets"),
    ("std::io", "no input or output"),
    ("std::env", "no environment"),
    ("std::process", "no processes"),
    ("std::thread", "no threads"),
    ("thread_local", "no hidden state"),
    ("std::sync", "no locks and no shared cells"),
    ("Mutex", "no locks"),
    ("RwLock", "no locks"),
    ("RefCell", "no shared cells"),
    ("OnceCell", "no hidden state"),
    ("async", "no async"),
    ("await", "no async"),
    ("println", "no logging"),
    ("eprintln", "no logging"),
    ("tracing", "no logging"),
    ("log::", "no logging"),
    ("unsafe", "no unsafe code"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names in one table of a manifest.
fn names(manifest: &str, table: &str) -> Vec<String> {
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != table).skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(['=', '.']).map(|(name, _)| name.trim().to_owned()))
        .filter(|name| !name.starts_with('#'))
        .collect()
}

/// `word` stands in `line` by itself, not inside a longer name.
fn stands_in(line: &str, word: &str) -> bool {
    let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    // A word that ends in `::` may be followed by anything.
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !is_name(line[..at].chars().next_back()) && (word.ends_with(':') || !is_name(after))
    })
}

/// Code without its comments; texts in quotes stay, since none of them needs a banned word.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[test]
fn the_manifest_names_only_pure_dependencies() {
    let manifest = read(&root().join("Cargo.toml"));
    let mut dependencies = names(&manifest, "[dependencies]");
    dependencies.sort();
    assert_eq!(dependencies, ALLOWED, "engine/Cargo.toml: only these may be dependencies of the engine");
    for table in ["[build-dependencies]", "[target."] {
        assert!(!manifest.contains(table), "engine/Cargo.toml: no {table}");
    }
    assert!(!root().join("build.rs").exists(), "no build script");
}

#[test]
fn the_sources_name_nothing_impure() {
    let mut found = Vec::new();
    sources(&root().join("src"), &mut found);
    assert!(found.len() > 20, "the sources were found: {found:?}");
    let mut faults = Vec::new();
    for path in &found {
        for (index, line) in read(path).lines().enumerate() {
            for (word, reason) in BANNED {
                if stands_in(code(line), word) {
                    faults.push(format!("{}:{}: {word}: {reason}", path.display(), index + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The gate's token is made in one place, and taken apart by the session alone.
#[test]
fn the_token_is_made_in_the_gate_and_taken_apart_in_the_session() {
    let mut found = Vec::new();
    sources(&root().join("src"), &mut found);
    for path in &found {
        let text = read(path);
        let name = path.strip_prefix(root().join("src")).expect("below src").display().to_string();
        let code: Vec<&str> = text.lines().map(code).collect();
        let count = |needle: &str| code.iter().filter(|line| line.contains(needle)).count();
        if name != "risk/gate.rs" {
            assert_eq!(count("Vetted::new("), 0, "{name} makes a token");
        }
        if name != "risk/vetted.rs" {
            assert_eq!(count("Vetted {"), 0, "{name} builds a token");
        }
    }
}

#[test]
fn the_scanner_sees_what_it_should() {
    assert!(stands_in("let x: f64 = 1.0;", "f64"));
    assert!(stands_in("use std::fs::read;", "std::fs"));
    assert!(!stands_in("let operand = 1;", "rand"));
    assert!(!stands_in("catalog::find()", "log::"));
    assert_eq!(code("a // f64"), "a ");
    assert_eq!(
        names("[dependencies]\na = 1\nb.workspace = true\n[dev-dependencies]\nc = 1", "[dependencies]"),
        ["a", "b"]
    );
}
