//! What the API server has stored, read past it.

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use super::{TestCluster, http_client};

impl TestCluster {
    /// The custom resources of a group and plural as etcd holds them: each in the version in which
    /// it was written last, which the API server hides from those who read.
    ///
    /// # Errors
    /// When etcd does not answer, or holds something else.
    pub fn stored(&self, group: &str, plural: &str) -> Result<Vec<Value>> {
        // The character after the slash ends the range of all keys that begin so.
        let [first, end] = ["/", "0"]
            .map(|end| BASE64_STANDARD.encode(format!("/registry/{group}/{plural}{end}")));
        let mut answer = http_client()
            .post(format!("{}/v3/kv/range", self.etcd))
            .send_json(json!({"key": first, "range_end": end}))
            .context("etcd does not answer")?;
        let answer: Value = answer.body_mut().read_json()?;
        let entries = answer["kvs"].as_array().into_iter().flatten();
        let objects = entries.map(|entry| {
            let value = entry["value"].as_str().unwrap_or_default();
            let object = serde_json::from_slice(&BASE64_STANDARD.decode(value)?);
            object.with_context(|| format!("what etcd holds below {group}/{plural} is not JSON"))
        });
        objects.collect()
    }
}
