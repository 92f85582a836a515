//! What etcd holds, past the API server.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use super::{TestCluster, http_client};

/// Where the API server keeps everything.
const ROOT: &str = "/registry";

impl TestCluster {
    /// The custom resources of a group and plural as etcd holds them: each in the version in which
    /// it was written last, which the API server hides from those who read.
    ///
    /// # Errors
    /// When etcd does not answer, or holds something else.
    pub fn stored(&self, group: &str, plural: &str) -> Result<Vec<Value>> {
        let entries = self.below(&format!("{ROOT}/{group}/{plural}"))?;
        let objects = entries.values().map(|value| {
            let object = serde_json::from_slice(value);
            object.with_context(|| format!("what etcd holds below {group}/{plural} is not JSON"))
        });
        objects.collect()
    }

    /// Everything that etcd holds, by key.
    pub(super) fn everything_stored(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        self.below(ROOT)
    }

    /// Writes a value past the API server, which learns of it as of any other.
    pub(super) fn store(&self, key: &str, value: &[u8]) -> Result<()> {
        let [key, value] = [key.as_bytes(), value].map(|it| BASE64_STANDARD.encode(it));
        self.ask_etcd("put", &json!({"key": key, "value": value}))
            .map(drop)
    }

    /// Deletes a value past the API server.
    pub(super) fn delete_stored(&self, key: &str) -> Result<()> {
        let key = BASE64_STANDARD.encode(key);
        self.ask_etcd("deleterange", &json!({"key": key})).map(drop)
    }

    fn below(&self, folder: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        // The character after the slash ends the range of all keys that begin so.
        let [first, end] = ["/", "0"].map(|end| BASE64_STANDARD.encode(format!("{folder}{end}")));
        let answer = self.ask_etcd("range", &json!({"key": first, "range_end": end}))?;
        let entries = answer["kvs"].as_array().into_iter().flatten();
        let entries = entries.map(|entry| {
            let field = |name: &str| {
                let text = entry[name].as_str().unwrap_or_default();
                BASE64_STANDARD.decode(text)
            };
            Ok((String::from_utf8(field("key")?)?, field("value")?))
        });
        entries.collect()
    }

    fn ask_etcd(&self, what: &str, question: &Value) -> Result<Value> {
        let mut answer = http_client()
            .post(format!("{}/v3/kv/{what}", self.etcd))
            .send_json(question)
            .context("etcd does not answer")?;
        Ok(answer
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_json()?)
    }
}
