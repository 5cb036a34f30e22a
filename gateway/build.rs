//! Builds the page of `ui/` into `ui/dist` when it is missing or older than its sources, so that the binary
//! can embed it. Needs Node.js with npm.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

const SOURCES: [&str; 8] = [
    "src",
    "public",
    "index.html",
    "docs.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
];

fn main() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", ui.join(source).display());
    }
    let built = modified(&ui.join("dist/index.html"));
    let newest = SOURCES.iter().filter_map(|source| newest(&ui.join(source))).max();
    if built.is_some() && built >= newest {
        // Watched only when it was not made just now: cargo would take its own product for a change and build
        // the crate a second time.
        println!("cargo::rerun-if-changed={}", ui.join("dist/index.html").display());
        return;
    }
    let install = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    if !installed(&ui) && !npm(&ui, &install) {
        fail("npm ci failed in ui/");
    }
    if !npm(&ui, &["run", "build", "--silent"]) {
        fail("npm run build failed in ui/");
    }
}

/// Whether the installed packages are those of the lock file.
fn installed(ui: &Path) -> bool {
    let marker = modified(&ui.join("node_modules/.package-lock.json"));
    marker.is_some() && marker >= modified(&ui.join("package-lock.json"))
}

fn npm(ui: &Path, arguments: &[&str]) -> bool {
    match Command::new("npm").args(arguments).current_dir(ui).status() {
        Ok(status) => status.success(),
        Err(error) => fail(&format!("npm cannot be started ({error})")),
    }
}

fn fail(what: &str) -> ! {
    println!(
        "cargo::error=The page of ui/ cannot be built: {what}. Install Node.js 20 or later with npm and build again."
    );
    std::process::exit(1);
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = path.read_dir() else { return modified(path) };
    entries.flatten().filter_map(|entry| newest(&entry.path())).max()
}
