//! Writing container images as `docker save` does: a tar archive with `manifest.json`, and for each
//! image its configuration and its layers as tar archives.
//!
//! The format: <https://github.com/moby/docker-image-spec/blob/main/v1.2.md>.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// The files of one layer.
pub(super) struct Layer {
    archive: Builder<Vec<u8>>,
    folders: BTreeSet<String>,
}

/// A finished layer in an archive.
#[derive(Clone, Debug)]
pub(super) struct LayerId(String);

/// An archive of images.
pub(super) struct Archive {
    archive: Builder<File>,
    manifest: Vec<Value>,
}

/// How the containers of an image start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start<'a> {
    pub(super) entrypoint: &'a [&'a str],
    /// User and group ids as `1337:1337`; empty for root.
    pub(super) user: &'a str,
    pub(super) folder: &'a str,
    /// Variables besides `PATH`, as `NAME=value`.
    pub(super) environment: &'a [&'a str],
}

impl Layer {
    pub(super) fn new() -> Self {
        Self {
            archive: Builder::new(Vec::new()),
            folders: BTreeSet::new(),
        }
    }

    /// Adds a folder with its parents.
    pub(super) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        let path = path.trim_matches('/');
        if path.is_empty() || self.folders.contains(path) {
            return Ok(());
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.folder(parent, 0o755)?;
        }
        self.folders.insert(path.to_owned());
        let mut header = header(EntryType::Directory, mode, 0);
        self.archive
            .append_data(&mut header, format!("{path}/"), std::io::empty())?;
        Ok(())
    }

    /// Adds a file of the machine as a program.
    pub(super) fn program(&mut self, path: &str, source: &Path) -> Result<()> {
        let content =
            std::fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
        self.file(path, &content, 0o755)
    }

    /// Adds a file.
    pub(super) fn file(&mut self, path: &str, content: &[u8], mode: u32) -> Result<()> {
        self.parent_of(path)?;
        let mut header = header(EntryType::Regular, mode, content.len() as u64);
        self.archive
            .append_data(&mut header, path.trim_start_matches('/'), content)?;
        Ok(())
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) -> Result<()> {
        self.parent_of(path)?;
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.archive
            .append_link(&mut header, path.trim_start_matches('/'), target)?;
        Ok(())
    }

    fn parent_of(&mut self, path: &str) -> Result<()> {
        match path.rsplit_once('/') {
            Some((parent, _)) => self.folder(parent, 0o755),
            None => Ok(()),
        }
    }
}

impl Archive {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self {
            archive: Builder::new(file),
            manifest: Vec::new(),
        })
    }

    /// Writes a layer, which any number of images may then have.
    pub(super) fn layer(&mut self, layer: Layer) -> Result<LayerId> {
        let content = layer.archive.into_inner()?;
        let digest = digest(&content);
        self.append(&format!("{digest}/layer.tar"), &content)?;
        Ok(LayerId(digest))
    }

    /// Writes an image, whose name has its registry and its tag.
    pub(super) fn image(
        &mut self,
        name: &str,
        layers: &[&LayerId],
        start: Start<'_>,
    ) -> Result<()> {
        let path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";
        let environment: Vec<&str> = [path].iter().chain(start.environment).copied().collect();
        let ids: Vec<String> = layers
            .iter()
            .map(|layer| format!("sha256:{}", layer.0))
            .collect();
        let history: Vec<Value> = layers.iter().map(|_| json!({})).collect();
        let configuration = json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "Entrypoint": start.entrypoint,
                "User": start.user,
                "WorkingDir": start.folder,
                "Env": environment,
            },
            "rootfs": {"type": "layers", "diff_ids": ids},
            "history": history,
        })
        .to_string();
        let file = format!("{}.json", digest(configuration.as_bytes()));
        self.append(&file, configuration.as_bytes())?;
        let layers: Vec<String> = layers
            .iter()
            .map(|layer| format!("{}/layer.tar", layer.0))
            .collect();
        self.manifest
            .push(json!({"Config": file, "RepoTags": [name], "Layers": layers}));
        Ok(())
    }

    /// Writes what completes the archive.
    pub(super) fn finish(mut self) -> Result<()> {
        let manifest = Value::Array(std::mem::take(&mut self.manifest)).to_string();
        self.append("manifest.json", manifest.as_bytes())?;
        self.archive.into_inner()?.flush()?;
        Ok(())
    }

    fn append(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let mut header = header(EntryType::Regular, 0o644, content.len() as u64);
        self.archive.append_data(&mut header, name, content)?;
        Ok(())
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// The machine's architecture, as images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn digest(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn tar_reads_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.tar");
        let mut archive = Archive::create(&path).unwrap();
        let mut layer = Layer::new();
        layer.folder("/tmp", 0o1777).unwrap();
        layer.file("/etc/motd", b"hello\n", 0o644).unwrap();
        layer.link("/bin/sh", "busybox").unwrap();
        let layer = archive.layer(layer).unwrap();
        let start = Start {
            entrypoint: &["/bin/sh"],
            user: "1337",
            folder: "/",
            environment: &["A=b"],
        };
        archive
            .image("docker.io/test/one:1", &[&layer], start)
            .unwrap();
        archive
            .image("docker.io/test/two:1", &[&layer], start)
            .unwrap();
        archive.finish().unwrap();
        let extract = Command::new("tar")
            .args(["-xf"])
            .arg(&path)
            .arg("-C")
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(extract.success());
        let text = std::fs::read_to_string(folder.path().join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest[1]["RepoTags"], json!(["docker.io/test/two:1"]));
        let layer = folder
            .path()
            .join(manifest[0]["Layers"][0].as_str().unwrap());
        let sum = Command::new("sha256sum").arg(&layer).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        let config = manifest[0]["Config"].as_str().unwrap();
        let config = std::fs::read_to_string(folder.path().join(config)).unwrap();
        let config: Value = serde_json::from_str(&config).unwrap();
        let id = format!("sha256:{}", sum.split(' ').next().unwrap());
        assert_eq!(config["rootfs"]["diff_ids"], json!([id]));
        let list = Command::new("tar")
            .arg("-tvf")
            .arg(&layer)
            .output()
            .unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        for wanted in ["drwxrwxrwt", "etc/motd", "bin/sh -> busybox"] {
            assert!(list.contains(wanted), "{list}");
        }
    }
}
