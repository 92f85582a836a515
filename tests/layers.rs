//! The layers of `src/`: which folder may import which, and which of them do no input or output.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the outside to the ground. A folder imports from layers below its own, and from
/// no other folder of its own layer. A file beside a folder of its name belongs to it.
const LAYERS: [(Purity, &[&str]); 14] = [
    (Purity::Shell, &["cli", "main"]),
    (Purity::Shell, &["charm"]),
    (Purity::Shell, &["reconcile"]),
    (Purity::Pure, &["report"]),
    (Purity::Pure, &["step"]),
    (Purity::Pure, &["assess", "decide"]),
    (Purity::Pure, &["endpoints", "plan"]),
    (Purity::Pure, &["desired", "stale"]),
    (Purity::Pure, &["detect", "observed"]),
    (Purity::Pure, &["cni", "intent"]),
    (Purity::Shell, &["cluster"]),
    (Purity::Pure, &["certificates"]),
    (Purity::Pure, &["k8s"]),
    (Purity::Pure, &["istio", "text"]),
];

/// Whether a layer deals with the world outside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purity {
    /// It does, and holds as little else as possible.
    Shell,
    /// It does not: the same values give the same answer.
    Pure,
}

/// What a pure layer may not name.
const OUTSIDE: [&str; 15] = [
    "hyper_util::",
    "kube::Api",
    "kube::Client",
    "kube::client",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio::",
    "tracing::",
    "Timestamp::now",
];

/// How long a file of `src/` may be, in lines: as much as one holds in the head.
const LONGEST_FILE: usize = 400;

/// One file of `src/`.
struct Source {
    /// Its path below `src/`, without `.rs`, as in `assess/gate`.
    module: String,
    /// Its lines, without comments and without unit tests.
    code: Vec<String>,
    /// How many lines it has in all.
    length: usize,
}

impl Source {
    fn folder(&self) -> &str {
        self.module.split('/').next().unwrap()
    }

    /// The modules that the code names, as paths of files.
    fn imports<'a>(&'a self, modules: &'a BTreeSet<&str>) -> impl Iterator<Item = &'a str> {
        let named = self
            .code
            .iter()
            .flat_map(|line| named_paths(line, &self.module));
        named.filter_map(|path| longest_module(&path, modules))
    }
}

/// The paths below `src/` that a line names: those from `crate::` and `super::`.
fn named_paths(line: &str, module: &str) -> Vec<String> {
    let parent = module.rsplit_once('/').map_or("", |(parent, _)| parent);
    let roots = [("crate::", ""), ("super::", parent)];
    let mut paths = Vec::new();
    for (start, root) in roots {
        for (position, _) in line.match_indices(start) {
            if line[..position].ends_with(|it: char| it.is_alphanumeric() || it == ':') {
                continue;
            }
            let rest = &line[position + start.len()..];
            let end = rest.find(|it: char| !it.is_alphanumeric() && !":_".contains(it));
            let path = rest[..end.unwrap_or(rest.len())].replace("::", "/");
            paths.push(format!("{root}/{path}").trim_matches('/').to_owned());
        }
    }
    paths
}

/// The file that a path leads to: the longest beginning of it that is one.
fn longest_module<'a>(path: &str, modules: &BTreeSet<&'a str>) -> Option<&'a str> {
    let mut path = path;
    loop {
        if let Some(module) = modules.get(path) {
            return Some(module);
        }
        path = path.rsplit_once('/')?.0;
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap().with_extension("");
        let text = fs::read_to_string(file).unwrap();
        // Unit tests stand at the end of a file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        Source {
            module: path.to_str().unwrap().to_owned(),
            code: code.lines().map(without_comment).collect(),
            length: text.lines().count(),
        }
    };
    files.iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // What serves unit tests only.
        if matches!(
            name,
            "tests" | "tests.rs" | "simulated" | "simulated.rs" | "lib.rs"
        ) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn without_comment(line: &str) -> String {
    line.split("//").next().unwrap().to_owned()
}

fn layer(folder: &str) -> usize {
    let found = LAYERS
        .iter()
        .position(|(_, folders)| folders.contains(&folder));
    assert!(found.is_some(), "src/{folder} belongs to no layer");
    found.unwrap()
}

#[test]
fn every_import_goes_down() {
    let sources = sources();
    let modules: BTreeSet<&str> = sources.iter().map(|it| it.module.as_str()).collect();
    let mut offences = Vec::new();
    for source in &sources {
        for import in source.imports(&modules) {
            let other = import.split('/').next().unwrap();
            if other != source.folder() && layer(other) <= layer(source.folder()) {
                offences.push(format!("{} imports {import}", source.module));
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
    let folders: BTreeSet<&str> = sources.iter().map(Source::folder).collect();
    for (_, named) in LAYERS {
        for folder in named {
            assert!(folders.contains(folder), "there is no src/{folder}");
        }
    }
}

/// Between a file and those in the folder of its name, imports go both ways: they are one thing.
#[test]
fn no_imports_go_in_a_circle() {
    let sources = sources();
    let modules: BTreeSet<&str> = sources.iter().map(|it| it.module.as_str()).collect();
    let is_above = |one: &str, other: &str| other.starts_with(&format!("{one}/"));
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in &sources {
        let module = source.module.as_str();
        let imports = source
            .imports(&modules)
            .filter(|it| *it != module && !is_above(it, module) && !is_above(module, it));
        graph.insert(module, imports.collect());
    }
    // What imports nothing that is left is in no circle.
    while let Some(free) = graph
        .iter()
        .find(|(_, imports)| imports.iter().all(|it| !graph.contains_key(it)))
        .map(|(module, _)| *module)
    {
        graph.remove(free);
    }
    assert!(graph.is_empty(), "in a circle: {graph:#?}");
}

#[test]
fn pure_layers_name_nothing_of_the_world_outside() {
    let mut offences = Vec::new();
    for source in sources() {
        let (purity, _) = LAYERS[layer(source.folder())];
        if purity == Purity::Shell {
            continue;
        }
        for name in OUTSIDE {
            if source.code.iter().any(|line| has_path(line, name)) {
                offences.push(format!("{} names {name}", source.module));
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// Whether a line has a path that begins so: `tracing::` is not in `workload_tracing::`.
fn has_path(line: &str, path: &str) -> bool {
    let is_in_name = |it: char| it.is_alphanumeric() || it == '_';
    let mut places = line.match_indices(path);
    places.any(|(place, _)| !line[..place].ends_with(is_in_name))
}

#[test]
fn every_file_can_be_held_in_the_head() {
    let long = sources().into_iter().filter(|it| it.length > LONGEST_FILE);
    let long: Vec<_> = long
        .map(|it| format!("{}: {} lines", it.module, it.length))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn paths_are_found_in_code() {
    let paths = |line: &str| named_paths(line, "assess/gate");
    assert_eq!(paths("use crate::k8s::kind::{NODE, POD};"), ["k8s/kind"]);
    assert_eq!(
        paths("use super::awaited::Awaited;"),
        ["assess/awaited/Awaited"]
    );
    assert_eq!(paths("let x = crate::text::shorten(y);"), ["text/shorten"]);
    assert_eq!(paths("use juju::relation::Bag;"), Vec::<String>::new());
    let modules = ["k8s", "k8s/kind"].into();
    assert_eq!(longest_module("k8s/kind/NODE", &modules), Some("k8s/kind"));
    assert_eq!(longest_module("k8s/other", &modules), Some("k8s"));
    assert_eq!(longest_module("elsewhere", &modules), None);
}
