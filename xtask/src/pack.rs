//! Making the charm file without charmcraft.
//!
//! The file has what charmcraft 4.5.0 puts in for the same charmcraft.yaml, but for its time
//! stamps: packing the same content twice gives equal files.

mod glibc;

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::workspace::{build_program, root, say};
use glibc::Version;

/// Files of the repository that go into the charm as they are.
const FILES: [&str; 6] = [
    "LICENSE",
    "README.md",
    "actions.yaml",
    "config.yaml",
    "icon.svg",
    "metadata.yaml",
];

/// What a charm is built for: one key of `platforms` in charmcraft.yaml.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Platform {
    /// `ubuntu`.
    system: String,
    /// `24.04`.
    channel: String,
    /// `amd64`.
    architecture: String,
}

/// Builds the program with a cargo profile and packs it into
/// `<output>/istio-pilot_<platform>.charm`.
///
/// # Errors
/// When the program does not build, a file is missing, or charmcraft.yaml has no platform for this
/// machine.
pub(crate) fn run(profile: &str, output: &Path) -> Result<PathBuf> {
    let charmcraft = fs::read_to_string(root().join("charmcraft.yaml"))
        .context("cannot read charmcraft.yaml")?;
    let platform = Platform::of_this_machine(&charmcraft, env::consts::ARCH)?;
    let program = build_program("istio-pilot", profile)?;
    let content =
        fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
    report_glibc(&platform, &content)?;
    fs::create_dir_all(output)?;
    let charm = output.join(platform.file_name());
    let file =
        File::create(&charm).with_context(|| format!("cannot create {}", charm.display()))?;
    write(file, &platform, &content)?;
    Ok(charm)
}

fn write(file: File, platform: &Platform, program: &[u8]) -> Result<()> {
    let mut files = vec![("dispatch", 0o755, program.to_vec())];
    for name in FILES {
        let content = fs::read(root().join(name)).with_context(|| format!("cannot read {name}"))?;
        files.push((name, 0o644, content));
    }
    let manifest = serde_yaml::to_string(&platform.manifest())?;
    files.push(("manifest.yaml", 0o644, manifest.into_bytes()));
    files.sort();
    let mut archive = ZipWriter::new(file);
    for (name, mode, content) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(mode);
        archive.start_file(name, options)?;
        archive.write_all(&content)?;
    }
    archive.finish()?;
    Ok(())
}

/// Says which C library the program needs, and warns when the base has an older one.
fn report_glibc(platform: &Platform, program: &[u8]) -> Result<()> {
    let Some(needed) = glibc::needed(program)? else {
        say("the program needs no C library");
        return Ok(());
    };
    let base = format!("{} {}", platform.system, platform.channel);
    match platform.glibc() {
        Some(has) if needed > has => say(&format!(
            "WARNING: the program needs GLIBC_{needed} and will not start on {base}, which has \
             GLIBC_{has}: build it there"
        )),
        Some(has) => say(&format!(
            "the program needs GLIBC_{needed}; {base} has GLIBC_{has}"
        )),
        None => say(&format!(
            "the program needs GLIBC_{needed}; what {base} has is not known here"
        )),
    }
    Ok(())
}

impl Platform {
    /// The platform of charmcraft.yaml for an architecture as Rust names it.
    fn of_this_machine(charmcraft: &str, architecture: &str) -> Result<Self> {
        let architecture = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let charmcraft: Value =
            serde_yaml::from_str(charmcraft).context("charmcraft.yaml is not YAML")?;
        let platforms = charmcraft["platforms"]
            .as_object()
            .context("charmcraft.yaml has no platforms")?;
        platforms
            .keys()
            .filter_map(|key| Self::parse(key))
            .find(|platform| platform.architecture == architecture)
            .with_context(|| format!("charmcraft.yaml has no platform for {architecture}"))
    }

    /// Parses `ubuntu@24.04:amd64`.
    fn parse(key: &str) -> Option<Self> {
        let (base, architecture) = key.split_once(':')?;
        let (system, channel) = base.split_once('@')?;
        Some(Self {
            system: system.to_owned(),
            channel: channel.to_owned(),
            architecture: architecture.to_owned(),
        })
    }

    /// The name that charmcraft gives the file.
    fn file_name(&self) -> String {
        format!(
            "istio-pilot_{}@{}-{}.charm",
            self.system, self.channel, self.architecture
        )
    }

    /// What manifest.yaml must contain: without bases, Juju takes the charm for one of the old
    /// format.
    fn manifest(&self) -> Value {
        json!({
            "bases": [{
                "name": self.system,
                "channel": self.channel,
                "architectures": [self.architecture],
            }],
        })
    }

    /// The version of the GNU C library in the base, as its release notes have it.
    fn glibc(&self) -> Option<Version> {
        match (self.system.as_str(), self.channel.as_str()) {
            ("ubuntu", "22.04") => Some(Version(2, 35)),
            ("ubuntu", "24.04") => Some(Version(2, 39)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARMCRAFT: &str = "platforms:\n  ubuntu@24.04:amd64:\n  ubuntu@24.04:arm64:\n";

    #[test]
    fn the_platform_is_that_of_the_machine() {
        let platform = Platform::of_this_machine(CHARMCRAFT, "aarch64").unwrap();
        assert_eq!(platform.file_name(), "istio-pilot_ubuntu@24.04-arm64.charm");
        assert_eq!(platform.glibc(), Some(Version(2, 39)));
        let error = Platform::of_this_machine(CHARMCRAFT, "s390x").unwrap_err();
        assert!(error.to_string().contains("s390x"), "{error}");
    }

    #[test]
    fn the_manifest_names_base_and_architecture() {
        let platform = Platform::of_this_machine(CHARMCRAFT, "x86_64").unwrap();
        let text = serde_yaml::to_string(&platform.manifest()).unwrap();
        // Juju reads an unquoted channel as a number.
        assert!(text.contains("channel: '24.04'"), "{text}");
        assert!(text.contains("- amd64"), "{text}");
    }
}
