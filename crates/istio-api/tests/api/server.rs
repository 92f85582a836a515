//! The API server takes and refuses the same with our definitions as with upstream's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use istio_api::difference::differences;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_cluster::{Options, Program, TestCluster};

use crate::{examples, upstream};

/// The key under which an invalid object says what the answer contains.
const EXPECTED: &str = "_err";

/// How the names of all objects begin.
const CASE: &str = "case-";

/// How many invalid objects each rule refuses at least.
const OBJECTS_PER_RULE: usize = 2;

/// An object, and what is to be said to it.
struct Case {
    /// Its file name; the object is called so too.
    name: String,
    object: Value,
    /// What the answer must contain if the object is to be refused.
    refused_with: Option<String>,
}

#[test]
fn the_same_is_taken_and_refused_as_with_upstream_s_definitions() {
    let cases = cases();
    let refused = cases.iter().filter(|case| case.refused_with.is_some());
    let refused = refused.count();
    assert!(refused >= 60, "only {refused} invalid objects");
    let folder = write(&cases);
    let cluster = TestCluster::start(&Options {
        controllers: false,
        ..Options::default()
    })
    .unwrap();

    let ours = istio_api::custom_resource_definitions().unwrap();
    let theirs = answers_with(&cluster, &upstream::definitions(), folder.path());
    let answers = answers_with(&cluster, &ours, folder.path());
    assert_eq!(answers.len(), cases.len(), "an answer to each object");
    for (name, answer) in &answers {
        let theirs = theirs.get(name).map_or("", String::as_str);
        assert_eq!(words(answer), words(theirs), "{answer}\n{theirs}");
    }

    let mut wrong = Vec::new();
    for Case {
        name, refused_with, ..
    } in &cases
    {
        let answer = &answers[name];
        let right = match refused_with {
            None => answer.contains("created"),
            Some(expected) => !answer.contains("created") && answer.contains(expected),
        };
        if !right {
            wrong.push(format!("{name}, {refused_with:?}: {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A rule that only one object breaks could be any rule that this object breaks.
    let seldom: Vec<_> = messages(&ours)
        .into_iter()
        .map(|message| {
            let broken_by = answers.values().filter(|it| it.contains(&message));
            (broken_by.count(), message)
        })
        .filter(|(objects, _)| *objects < OBJECTS_PER_RULE)
        .collect();
    assert!(
        seldom.is_empty(),
        "too few objects break these: {seldom:#?}"
    );
}

/// What the API server gives back is what was sent: nothing that it sets on its own is missing.
#[test]
fn the_definitions_are_stored_as_they_are() {
    let cluster = TestCluster::start(&Options {
        controllers: false,
        ..Options::default()
    })
    .unwrap();
    let ours = istio_api::custom_resource_definitions().unwrap();
    install(&cluster, &ours);
    let mut stored = cluster.get("customresourcedefinitions").unwrap();
    let stored = stored["items"].as_array_mut().unwrap();
    for definition in stored.iter_mut() {
        let definition = definition.as_object_mut().unwrap();
        definition.remove("status");
        for set_by_the_server in [
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "uid",
        ] {
            definition["metadata"]
                .as_object_mut()
                .unwrap()
                .remove(set_by_the_server);
        }
        definition["spec"]
            .as_object_mut()
            .unwrap()
            .remove("conversion");
    }
    let found: Vec<_> = differences(&ours, stored)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Our examples, upstream's objects for its own validation, and invalid objects of both.
fn cases() -> Vec<Case> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/invalid.yaml");
    let theirs = upstream::source("pkg/config/validation/testdata/crds");
    let mut objects = examples::all();
    objects.extend(upstream::documents(&ours));
    let own = objects.len();
    for file in upstream::yaml_files(&theirs) {
        objects.extend(upstream::documents(&file));
    }
    let cases = objects.into_iter().enumerate().map(|(number, mut object)| {
        let name = format!("{CASE}{number:03}");
        object["metadata"]["name"] = name.as_str().into();
        object["metadata"]["namespace"] = "default".into();
        let fields = object.as_object_mut().unwrap();
        fields.remove("_warn");
        let refused_with = fields.remove(EXPECTED).map(|expected| {
            // Upstream's texts are those of another release of Kubernetes.
            let expected = expected.as_str().filter(|_| number < own);
            expected.unwrap_or_default().to_owned()
        });
        Case {
            name,
            object,
            refused_with,
        }
    });
    cases.collect()
}

fn write(cases: &[Case]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for Case { name, object, .. } in cases {
        let file = folder.path().join(format!("{name}.json"));
        fs::write(file, object.to_string()).unwrap();
    }
    folder
}

/// The words of an answer in order: the API server finds faults in any order.
fn words(answer: &str) -> Vec<&str> {
    let mut words: Vec<_> = answer
        .split_whitespace()
        .map(|word| word.trim_matches(['[', ']', ',']))
        .collect();
    words.sort_unstable();
    words
}

/// Installs definitions, in place of others if there were any, and returns the answer to each
/// object.
fn answers_with(
    cluster: &TestCluster,
    definitions: &[Value],
    folder: &Path,
) -> BTreeMap<String, String> {
    let there = cluster.get("customresourcedefinitions").unwrap();
    if there["items"]
        .as_array()
        .is_some_and(|items| !items.is_empty())
    {
        let delete = "delete customresourcedefinitions --all";
        cluster.kubectl(delete).unwrap();
    }
    install(cluster, definitions);
    let output = cluster
        .command(Program::Kubectl)
        .unwrap()
        .args([
            "create",
            "--dry-run=server",
            "--validate=false",
            "--filename",
        ])
        .arg(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    let mut answers: BTreeMap<String, String> = BTreeMap::new();
    let mut last = None;
    for line in text.lines() {
        // An answer of several lines names its object in the first one.
        let mut words = line.split(&['"', '/', ' ', '.'][..]);
        let named = words.find(|word| word.starts_with(CASE));
        last = named.map(str::to_owned).or(last);
        let name = last.clone().expect("the first line names an object");
        let answer = answers.entry(name).or_default();
        answer.push_str(line);
        answer.push('\n');
    }
    answers
}

fn install(cluster: &TestCluster, definitions: &[Value]) {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": definitions});
    cluster
        .kubectl_with_input("create --filename=-", &list.to_string())
        .unwrap();
    let wait = "wait --for=condition=Established --timeout=60s customresourcedefinitions --all";
    cluster.kubectl(wait).unwrap();
}

/// The messages of all rules.
fn messages(definitions: &[Value]) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        if let Some(rules) = value
            .get("x-kubernetes-validations")
            .and_then(Value::as_array)
        {
            let messages = rules.iter().filter_map(|rule| rule["message"].as_str());
            found.extend(messages.map(str::to_owned));
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|inner| collect(inner, found)),
            Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for definition in definitions {
        collect(definition, &mut found);
    }
    found.sort();
    found.dedup();
    found
}
