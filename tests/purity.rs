//! The pure modules of this crate do no input or output, and read no clock and no environment.
//!
//! A module is pure unless it is listed here.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that deal with the world outside, their folders included.
const SHELL: &[&str] = &[
    "actions",
    "cli",
    "cluster",
    "dispatch",
    "main",
    "reconcile",
    "removal",
];

/// What a pure module may not name, each with what it may name of it all the same.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("kube::Api", &["kube::ApiResource"]),
    ("kube::Client", &[]),
    ("kube::api", &[]),
    ("kube::client", &[]),
    ("kube::runtime", &[]),
    ("std::env", &[]),
    ("std::fs", &[]),
    ("std::io", &[]),
    ("std::net", &[]),
    ("std::os", &[]),
    ("std::process", &[]),
    ("std::thread", &[]),
    ("std::time", &["std::time::Duration"]),
    ("hyper_util", &[]),
    ("tokio", &[]),
    ("tracing_subscriber", &[]),
];

#[test]
fn pure_modules_name_nothing_of_the_world_outside() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offences = Vec::new();
    let mut shell_seen = BTreeSet::new();
    for file in rust_files(&root) {
        let below = file.strip_prefix(&root).unwrap();
        let module = below
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = module.trim_end_matches(".rs");
        if let Some(module) = SHELL.iter().find(|it| **it == module) {
            shell_seen.insert(*module);
            continue;
        }
        // Tests may read files and run programs.
        if below.ends_with("tests.rs") {
            continue;
        }
        for name in named(&fs::read_to_string(&file).unwrap()) {
            offences.push(format!("{} names {name}", below.display()));
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
    assert_eq!(
        shell_seen,
        SHELL.iter().copied().collect(),
        "modules listed that do not exist"
    );
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

/// The forbidden things that a source file names.
fn named(source: &str) -> Vec<&'static str> {
    let paths = paths(source);
    let within = |path: &str, name: &str| {
        path.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let names = |name: &str, allowed: &[&str]| {
        paths
            .iter()
            .any(|path| within(path, name) && !allowed.iter().any(|allowed| within(path, allowed)))
    };
    let found = FORBIDDEN
        .iter()
        .filter(|(name, allowed)| names(name, allowed));
    found.map(|(name, _)| *name).collect()
}

/// The paths that stand in a source file up to its tests, groups such as `std::{env, fs}` written
/// out. Comments do not count; a text that looks like a path does.
fn paths(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    let code: String = lines.flat_map(|line| line.chars().chain([' '])).collect();
    let mut found = BTreeSet::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut path = String::new();
    for character in code.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ':' => path.push(character),
            '{' => {
                let group = path.ends_with("::");
                let outer = prefixes
                    .last()
                    .filter(|_| group)
                    .cloned()
                    .unwrap_or_default();
                prefixes.push(if group { outer + &path } else { String::new() });
                path.clear();
            }
            _ => {
                if !path.is_empty() {
                    let prefix = prefixes.last().cloned().unwrap_or_default();
                    found.insert(prefix + path.trim_start_matches("::"));
                    path.clear();
                }
                if character == '}' {
                    prefixes.pop();
                }
            }
        }
    }
    found
}

#[test]
fn forbidden_names_are_found_however_they_are_written() {
    let found = |source: &str| named(source).join(" ");
    assert_eq!(found("use std::fs;"), "std::fs");
    assert_eq!(found("use std::{collections::BTreeMap, env};"), "std::env");
    assert_eq!(found("use std::{\n    io::{self, Write},\n};"), "std::io");
    assert_eq!(found("fn a() { ::std::process::exit(1) }"), "std::process");
    assert_eq!(
        found("let now = std::time::SystemTime::now();"),
        "std::time"
    );
    assert_eq!(found("use kube::{Api, Client};"), "kube::Api kube::Client");
    assert_eq!(
        found("async fn a() { tokio::time::sleep(b).await }"),
        "tokio"
    );
    assert_eq!(found("use std::time::Duration; use kube::ApiResource;"), "");
    assert_eq!(
        found("use std::fmt; struct A { b: std_env, tokios: u8 }"),
        ""
    );
    assert_eq!(found("// std::fs\n/// See [`std::env`].\nfn a() {}"), "");
    assert_eq!(
        found("fn a() {}\n#[cfg(test)]\nmod tests { use std::fs; }"),
        ""
    );
}
