//! Definitions of other releases that are there already, and what is stored with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;
use charm_world::until;
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use test_cluster::{Program, TestCluster, istio_definitions, yaml_documents};

use super::support::{MODEL, world};

/// Examples of each kind, with every field that Istio 1.31 has.
const EXAMPLES: &str = "crates/istio-api/tests/api/examples";

#[test]
fn definitions_of_istio_1_28_are_upgraded_in_place() -> Result<()> {
    upgrade("v1.28.3", &expect!["active: CNI off"])
}

#[test]
fn definitions_of_istio_1_29_are_upgraded_in_place() -> Result<()> {
    upgrade("v1.29.2", &expect!["active: CNI off"])
}

#[test]
fn definitions_of_istio_1_30_are_upgraded_in_place() -> Result<()> {
    upgrade("v1.30.8", &expect!["active: CNI off"])
}

#[test]
fn definitions_of_istio_1_31_are_upgraded_in_place() -> Result<()> {
    upgrade("v1.31.1", &expect!["active: CNI off"])
}

/// The charm comes to a cluster with the definitions of a release of `istio.io/api`, which have
/// served since objects were stored in versions that they only serve now.
fn upgrade(release: &str, expected: &Expect) -> Result<()> {
    let mut world = world()?;
    let definitions = istio_definitions(release)?;
    store_in_every_version(&world.cluster, &definitions)?;
    let before = Resources::of(&world.cluster, &definitions)?;
    before.assert_complete(&definitions);

    let deployed = world.deploy()?;
    expected.assert_eq(&deployed);
    let ours = istio_api::custom_resource_definitions()?;
    let live = live_definitions(&world.cluster)?;
    assert_eq!(live.len(), ours.len());
    for wanted in &ours {
        assert_eq!(specification(&live[name(wanted)]), specification(wanted));
    }
    assert_eq!(Resources::of(&world.cluster, &definitions)?, before);

    // What is stored passes the checks of the definitions that are there now.
    let writes = world.writes()?;
    for definition in &definitions {
        let plural = name(definition);
        let annotate = format!("annotate {plural} --all written=again");
        world.cluster.kubectl(&annotate)?;
    }
    assert_eq!(world.update_status()?, deployed);
    assert_eq!(world.writes()?, writes);

    let before = Resources::of(&world.cluster, &definitions)?;
    world.remove()?;
    assert_eq!(Resources::of(&world.cluster, &definitions)?, before);
    Ok(())
}

#[test]
fn a_version_that_has_stored_objects_stays_though_istio_has_dropped_it() -> Result<()> {
    const NAME: &str = "proxyconfigs.networking.istio.io";
    let mut world = world()?;
    let mut definitions = istio_definitions("v1.28.3")?;
    definitions.retain(|definition| name(definition) == NAME);
    let mut dropped = versions(&definitions[0])[0].clone();
    dropped["name"] = "v1alpha1".into();
    dropped["storage"] = false.into();
    let versions = definitions[0]["spec"]["versions"].as_array_mut().unwrap();
    versions.insert(0, dropped.clone());
    store_in_every_version(&world.cluster, &definitions)?;
    let before = Resources::of(&world.cluster, &definitions)?;
    assert_eq!(before.stored_versions[NAME], ["v1alpha1", "v1beta1"]);

    expect!["active: CNI off"].assert_eq(&world.deploy()?);
    assert_eq!(Resources::of(&world.cluster, &definitions)?, before);
    let live = &live_definitions(&world.cluster)?[NAME];
    let kept = &live["spec"]["versions"][1];
    assert_eq!(
        (&kept["name"], &kept["storage"]),
        (&dropped["name"], &json!(false))
    );
    assert_eq!(kept["schema"], dropped["schema"]);
    let writes = world.writes()?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert_eq!(world.writes()?, writes);
    Ok(())
}

/// What a cluster has of some kinds.
#[derive(Debug, PartialEq)]
struct Resources {
    /// The identity of each definition: one that was deleted and made again has another.
    uids: BTreeMap<String, Value>,
    /// The versions of each kind in which objects are, or once were, stored.
    stored_versions: BTreeMap<String, Vec<String>>,
    /// All objects of each path: in every version that is served, as the API server answers.
    served: BTreeMap<String, Vec<Value>>,
}

impl Resources {
    fn of(cluster: &TestCluster, definitions: &[Value]) -> Result<Self> {
        let live = live_definitions(cluster)?;
        let live = definitions.iter().map(|definition| &live[name(definition)]);
        let mut resources = Self {
            uids: BTreeMap::new(),
            stored_versions: BTreeMap::new(),
            served: BTreeMap::new(),
        };
        for definition in live {
            let key = name(definition).to_owned();
            let uid = definition["metadata"]["uid"].clone();
            resources.uids.insert(key.clone(), uid);
            let stored = definition["status"]["storedVersions"].clone();
            let stored = serde_json::from_value(stored)?;
            resources.stored_versions.insert(key, stored);
            for version in versions(definition) {
                let path = path(definition, text(&version["name"]));
                let answer = cluster.kubectl(&format!("get --raw {path}"))?;
                let answer: Value = serde_json::from_str(&answer)?;
                let mut items = answer["items"].as_array().unwrap().clone();
                // The charm's own Gateway comes and goes with it.
                let label = "/metadata/labels/app.kubernetes.io~1instance";
                items.retain(|item| item.pointer(label).is_none());
                resources.served.insert(path, items);
            }
        }
        Ok(resources)
    }

    /// Fails unless objects were stored in every version of every kind, and are served in each.
    fn assert_complete(&self, definitions: &[Value]) {
        for definition in definitions {
            let stored: BTreeSet<_> = self.stored_versions[name(definition)].iter().collect();
            let of_kind: Vec<_> = versions(definition)
                .iter()
                .map(|version| &self.served[&path(definition, text(&version["name"]))])
                .collect();
            assert_eq!(stored.len(), of_kind.len(), "{}", name(definition));
            assert!(of_kind.iter().all(|objects| objects.len() >= stored.len()));
        }
    }
}

/// Makes one version of each kind after the other that in which objects are stored, and creates
/// objects then. In the end the definitions are as they are given.
fn store_in_every_version(cluster: &TestCluster, definitions: &[Value]) -> Result<()> {
    let examples = examples()?;
    let most = definitions.iter().map(|it| versions(it).len()).max();
    for turn in 0..most.unwrap_or_default() {
        let mut definitions = definitions.to_vec();
        definitions.retain_mut(|definition| store_in(definition, turn));
        install_as_istioctl(cluster, &definitions)?;
        for definition in &definitions {
            let version = text(&versions(definition)[turn]["name"]);
            create_examples(cluster, definition, version, &examples)?;
        }
    }
    install_as_istioctl(cluster, definitions)
}

/// Whether there is a version of that index; then it becomes that in which objects are stored.
fn store_in(definition: &mut Value, index: usize) -> bool {
    let versions = definition["spec"]["versions"].as_array_mut().unwrap();
    for (number, version) in versions.iter_mut().enumerate() {
        version["storage"] = (number == index).into();
    }
    index < versions.len()
}

/// Creates all examples of a kind that its definition accepts, and sees to it that they are stored
/// in this version.
fn create_examples(
    cluster: &TestCluster,
    definition: &Value,
    version: &str,
    examples: &[Value],
) -> Result<()> {
    let group = text(&definition["spec"]["group"]);
    let names = &definition["spec"]["names"];
    let of_kind = examples.iter().filter(|it| it["kind"] == names["kind"]);
    let objects: Vec<Value> = of_kind
        .enumerate()
        .map(|(number, example)| {
            let mut object = example.clone();
            object["apiVersion"] = format!("{group}/{version}").into();
            object["metadata"] = json!({
                "name": format!("{version}-{number}"),
                "namespace": "default",
            });
            object
        })
        .collect();
    let file = cluster.folder().join("examples.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    fs::write(&file, list.to_string())?;
    // Older releases refuse values that they do not know yet, and drop such fields.
    let output = cluster
        .command(Program::Kubectl)?
        .args(["create", "--validate=false", "--filename"])
        .arg(&file)
        .output()?;
    let plural = text(&names["plural"]);
    let created = || -> Result<Vec<Value>> {
        let mut stored = cluster.stored(group, plural)?;
        stored.retain(|it| text(&it["metadata"]["name"]).starts_with(&format!("{version}-")));
        Ok(stored)
    };
    assert!(!created()?.is_empty(), "{version} {plural}: {output:?}");
    // The API server may take a moment until it writes in the new version.
    until("objects are stored in the right version", || {
        let right = |it: &Value| it["apiVersion"] == format!("{group}/{version}");
        if created()?.iter().all(right) {
            return Ok(true);
        }
        let moment = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
        let plural = name(definition);
        let annotate = format!("annotate {plural} --all --overwrite moment={moment}");
        cluster.kubectl(&annotate)?;
        Ok(false)
    })
}

/// Applies definitions as an istioctl does that installs into the model's namespace.
fn install_as_istioctl(cluster: &TestCluster, definitions: &[Value]) -> Result<()> {
    let mut definitions = definitions.to_vec();
    for definition in &mut definitions {
        let labels = definition["metadata"]["labels"].as_object_mut().unwrap();
        for (key, value) in [
            ("operator.istio.io/managed", "Reconcile"),
            ("operator.istio.io/component", "Base"),
            ("install.operator.istio.io/owning-resource-namespace", MODEL),
        ] {
            labels.insert(key.to_owned(), value.into());
        }
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": definitions});
    let apply = "apply --server-side --field-manager=istio-operator --filename=-";
    cluster.kubectl_with_input(apply, &list.to_string())?;
    let wait = "wait --for=condition=Established --timeout=60s customresourcedefinitions --all";
    cluster.kubectl(wait).map(drop)
}

fn examples() -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLES);
    let mut examples = Vec::new();
    for entry in fs::read_dir(folder)? {
        let content = fs::read_to_string(entry?.path())?;
        examples.extend(yaml_documents(&content)?);
    }
    Ok(examples)
}

fn live_definitions(cluster: &TestCluster) -> Result<BTreeMap<String, Value>> {
    let list = cluster.get("customresourcedefinitions")?;
    let items = list["items"].as_array().unwrap().clone();
    let entry = |item: Value| (name(&item).to_owned(), item);
    Ok(items.into_iter().map(entry).collect())
}

/// What a definition says of its kind, without what the API server adds.
fn specification(definition: &Value) -> Value {
    let mut specification = definition["spec"].clone();
    specification.as_object_mut().unwrap().remove("conversion");
    specification
}

/// Where the API server serves all objects of a kind in a version.
fn path(definition: &Value, version: &str) -> String {
    let group = text(&definition["spec"]["group"]);
    let plural = text(&definition["spec"]["names"]["plural"]);
    format!("/apis/{group}/{version}/{plural}")
}

fn versions(definition: &Value) -> &[Value] {
    definition["spec"]["versions"].as_array().unwrap()
}

fn name(definition: &Value) -> &str {
    text(&definition["metadata"]["name"])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
