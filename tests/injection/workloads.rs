//! The workloads that users deploy, from the files in `workloads/`.

use std::path::Path;

use serde_json::Value;

/// One document of those files.
pub(crate) struct Workload {
    /// File and name, such as `kinds/plain`.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) object: Value,
}

impl Workload {
    fn new(file: &str, text: &str) -> Self {
        let object: Value = serde_yaml::from_str(text).unwrap();
        let metadata = &object["metadata"];
        let name = metadata["name"]
            .as_str()
            .or_else(|| metadata["generateName"].as_str())
            .unwrap_or("list");
        Self {
            name: format!("{file}/{name}"),
            text: text.to_owned(),
            object,
        }
    }

    /// A workload of the generator.
    pub(crate) fn generated(object: Value) -> Self {
        Self {
            name: "generated".to_owned(),
            text: object.to_string(),
            object,
        }
    }

    /// An annotation of the pod, wherever it is in the object.
    pub(crate) fn pod_annotation(&self, key: &str) -> Option<&str> {
        annotations(&self.object)?.get(key)?.as_str()
    }
}

/// All workloads, in the order of their files' names.
pub(crate) fn all() -> Vec<Workload> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/injection/workloads");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| of_file(file)).collect()
}

fn of_file(file: &Path) -> Vec<Workload> {
    let name = file.file_stem().unwrap().to_str().unwrap();
    std::fs::read_to_string(file)
        .unwrap()
        .split("\n---\n")
        .map(|text| Workload::new(name, text))
        .collect()
}

/// As one stream for kube-inject.
pub(crate) fn stream<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    texts.join("\n---\n")
}

/// The annotations that injection reads and adds to: those of the pod, or of its template. Of a
/// CronJob, kube-inject takes the job's for the pod's.
pub(crate) fn annotations(object: &Value) -> Option<&Value> {
    let metadata = match object["kind"].as_str() {
        Some("CronJob") => object.pointer("/spec/jobTemplate/metadata"),
        _ => pod(object)?.get("metadata"),
    };
    metadata?.get("annotations")
}

/// The pod, or the template of pods, in an object.
pub(crate) fn pod(object: &Value) -> Option<&Value> {
    match object["kind"].as_str()? {
        "Pod" => Some(object),
        "CronJob" => object.pointer("/spec/jobTemplate/spec/template"),
        "List" => pod(object.pointer("/items/0")?),
        _ => object.pointer("/spec/template"),
    }
}
