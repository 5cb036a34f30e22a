//! Documentation and examples that would otherwise rot in silence.

use argonaut::config::{self, Overrides};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(&path, ending, found);
        } else if path.extension().is_some_and(|it| it == ending) {
            found.push(path);
        }
    }
}

fn texts() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    files_below(&root().join("docs"), "md", &mut found);
    assert!(found.len() > 10, "the walk must find the texts, it found {}", found.len());
    found
}

/// Targets of `[text](target)` outside code blocks.
fn links(text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        found.extend(targets.map(|(target, _)| target.to_owned()));
    }
    found
}

/// The part behind `#` that a heading is reached by.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let plain = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for file in texts() {
        let text = fs::read_to_string(&file).expect("a text");
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { file.clone() } else { file.with_file_name(path) };
            let reached = target.exists()
                && (anchor.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|text| anchors(&text).iter().any(|it| it == anchor)));
            if !reached {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

/// Files that the architecture names in backticks, with a folder in front.
#[test]
fn files_that_the_architecture_names_exist() {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("a text");
    let folders =
        ["src/", "tests/", "engine/", "actors/", "venues/", "persistence/", "gateway/", "research/", "config/"];
    let words = text.split('`').skip(1).step_by(2);
    let named: Vec<&str> = words.filter(|word| folders.iter().any(|folder| word.starts_with(folder))).collect();
    assert!(named.len() > 30, "the scan must find names, it found {}", named.len());
    let missing: Vec<&str> = named.into_iter().filter(|name| !root().join(name).exists()).collect();
    assert!(missing.is_empty(), "the architecture names what is not there: {missing:?}");
}

#[test]
fn every_configuration_that_is_shipped_is_without_fault() {
    let mut found = Vec::new();
    files_below(&root().join("config"), "toml", &mut found);
    assert!(found.len() >= 3, "{found:?}");
    for file in found {
        if let Err(fault) = config::load(&file, &Overrides::default()) {
            panic!("{fault}");
        }
    }
}

/// Every key that the configuration reader asks for stands in the guide.
#[test]
fn the_guide_names_every_key_of_the_configuration() {
    let guide = fs::read_to_string(root().join("docs/guide/configuration.md")).expect("a text");
    let mut sources = Vec::new();
    files_below(&root().join("src/config"), "rs", &mut sources);
    let calls =
        ["text(\"", "required(\"", "choice(\"", "integer(\"", "flag(\"", "texts(\"", "section(\"", "sections(\""];
    let mut missing = Vec::new();
    for file in sources {
        let code = fs::read_to_string(&file).expect("a text");
        for call in calls {
            for rest in code.split(call).skip(1) {
                let key = rest.split('"').next().unwrap_or_default();
                if !guide.contains(key) {
                    missing.push(key.to_owned());
                }
            }
        }
    }
    assert!(missing.is_empty(), "keys that the guide does not explain: {missing:?}");
}
