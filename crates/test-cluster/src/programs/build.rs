//! Building programs into the cache.

use std::env;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::module::Definition;
use super::{KWOK_STAGES, Program, cache_folder, progress, source};
use crate::command::output_of;
use crate::tools::short_hash;

/// Prefix of the folders in which an unfinished build lies.
const PARTIAL: &str = "partial-";

/// Builds programs with a Go command into a cache folder.
#[derive(Debug)]
pub(super) struct Builder {
    go: PathBuf,
    cache: PathBuf,
}

impl Builder {
    /// The `go` of `PATH`, and the user's cache folder.
    pub(super) fn from_environment() -> Result<Self> {
        Ok(Self {
            go: PathBuf::from("go"),
            cache: cache_folder()?.join("programs"),
        })
    }

    /// Whether there is a Go command at all.
    pub(super) fn check(&self) -> Result<()> {
        output_of(Command::new(&self.go).arg("version"))
            .map(drop)
            .map_err(|error| self.explain(error))
    }

    /// The file of `program`, which is built unless it exists.
    pub(super) fn program(&self, program: Program) -> Result<PathBuf> {
        let definition = program.module().definition();
        let path = self.build(
            &definition,
            program.package(),
            program.file_name(),
            program.expected_build_time(),
        )?;
        if program == Program::Kwok {
            self.keep_kwok_stages(&definition, &path.with_file_name(KWOK_STAGES))?;
        }
        Ok(path)
    }

    fn build(
        &self,
        definition: &Definition,
        package: &str,
        file_name: &str,
        expected: &str,
    ) -> Result<PathBuf> {
        let folder = self.folder(definition);
        let target = folder.join("bin").join(file_name);
        if target.is_file() {
            return Ok(target);
        }
        let _lock = lock(&folder)?;
        if target.is_file() {
            return Ok(target);
        }
        remove_partial(&folder)?;
        let partial = tempfile::Builder::new()
            .prefix(PARTIAL)
            .tempdir_in(&folder)?;
        let started = Instant::now();
        progress(&format!("building {file_name}, {expected} the first time"));
        let built = partial.path().join(file_name);
        output_of(
            self.go(&write_module(&folder, definition)?)
                .arg("build")
                .args(definition.flags)
                .arg("-o")
                .arg(&built)
                .arg(package),
        )
        .map_err(|error| self.explain(error))?;
        let bin = folder.join("bin");
        fs::create_dir_all(&bin)?;
        // Renamed only when complete, so that whatever is in bin can be run.
        fs::rename(&built, &target)?;
        progress(&format!(
            "built {file_name} in {} s",
            started.elapsed().as_secs()
        ));
        Ok(target)
    }

    /// The source of a module that go.mod names.
    pub(super) fn source_folder(&self, definition: &Definition, path: &str) -> Result<PathBuf> {
        let folder = self.folder(definition);
        let module = {
            let _lock = lock(&folder)?;
            write_module(&folder, definition)?
        };
        source::download(&mut self.go(&module), path).map_err(|error| self.explain(error))
    }

    /// The source of any release of a module.
    pub(super) fn release_folder(&self, path: &str, version: &str) -> Result<PathBuf> {
        // Any folder will do that is in no module.
        source::download(&mut self.go(&env::temp_dir()), &format!("{path}@{version}"))
            .map_err(|error| self.explain(error))
    }

    fn keep_kwok_stages(&self, definition: &Definition, target: &Path) -> Result<()> {
        if target.is_file() {
            return Ok(());
        }
        let source = self.source_folder(definition, "sigs.k8s.io/kwok")?;
        let _lock = lock(&self.folder(definition))?;
        let mut stages = String::new();
        for kind in ["node", "pod"] {
            let folder = source.join("kustomize/stage").join(kind).join("fast");
            let mut files: Vec<PathBuf> = fs::read_dir(&folder)
                .with_context(|| format!("cannot read {}", folder.display()))?
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<_>>()?;
            files.retain(|file| {
                file.extension()
                    .is_some_and(|extension| extension == "yaml")
                    && !file.ends_with("kustomization.yaml")
            });
            files.sort();
            for file in files {
                stages.push_str("---\n");
                let stage = fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                stages.push_str(&stage);
            }
        }
        let partial = target.with_extension("partial");
        fs::write(&partial, stages)?;
        fs::rename(&partial, target)?;
        Ok(())
    }

    fn folder(&self, definition: &Definition) -> PathBuf {
        self.cache.join(hash(definition))
    }

    fn go(&self, module: &Path) -> Command {
        let mut command = Command::new(&self.go);
        command
            .current_dir(module)
            // Static programs, which also run inside images without a C library.
            .env("CGO_ENABLED", "0")
            .env("GOWORK", "off")
            .env("GOFLAGS", "-mod=readonly");
        command
    }

    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let missing = error.chain().any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|cause| cause.kind() == ErrorKind::NotFound)
        });
        if missing {
            anyhow::anyhow!(
                "{} is not installed: tests build Kubernetes and Istio from source, which needs \
                 Go 1.26 or later (https://go.dev/dl)",
                self.go.display()
            )
        } else {
            error
        }
    }
}

/// Names a build: equal go.mod, go.sum, sources and flags give equal programs.
fn hash(definition: &Definition) -> String {
    let sources = definition.sources.iter();
    let parts = [definition.go_mod, definition.go_sum]
        .into_iter()
        .chain(sources.flat_map(|&(name, content)| [name, content]))
        .chain(definition.flags.iter().copied());
    short_hash(parts)
}

fn write_module(folder: &Path, definition: &Definition) -> Result<PathBuf> {
    let module = folder.join("module");
    let files = [("go.mod", definition.go_mod), ("go.sum", definition.go_sum)];
    for &(name, content) in files.iter().chain(definition.sources) {
        let file = module.join(name);
        if fs::read_to_string(&file).is_ok_and(|old| old == content) {
            continue;
        }
        fs::create_dir_all(file.parent().unwrap_or(&module))?;
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(module)
}

/// Holds back other processes that want to build in `folder`, until the returned value is dropped.
fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = File::create(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            progress("waiting for another run that builds programs");
            file.lock()?;
        }
        Err(fs::TryLockError::Error(error)) => bail!("cannot lock {}: {error}", folder.display()),
    }
    Ok(file)
}

/// Removes what builds that were killed left behind; call it with the lock held.
fn remove_partial(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const TINY: Definition = Definition {
        go_mod: "module tiny.test/tiny\n\ngo 1.21\n",
        go_sum: "",
        sources: &[],
        flags: &["-ldflags=-s -w"],
    };
    /// A small program that comes with Go itself, so nothing is downloaded.
    const PACKAGE: &str = "cmd/addr2line";

    fn builder(cache: &Path) -> Builder {
        Builder {
            go: PathBuf::from("go"),
            cache: cache.to_path_buf(),
        }
    }

    #[test]
    fn whatever_decides_a_build_changes_its_folder() {
        let other_flags = Definition {
            flags: &["-ldflags=-s"],
            ..TINY
        };
        let other_sum = Definition {
            go_sum: "x",
            ..TINY
        };
        let moved = Definition {
            go_mod: "",
            go_sum: TINY.go_mod,
            ..TINY
        };
        let source = Definition {
            sources: &[("main.go", "package main\n\nfunc main() {}\n")],
            ..TINY
        };
        assert_eq!(hash(&TINY), hash(&TINY));
        for other in [other_flags, other_sum, moved, source] {
            assert_ne!(hash(&TINY), hash(&other), "{other:?}");
        }
    }

    #[test]
    fn a_program_is_built_once_by_all_who_want_it_at_once() {
        let cache = tempfile::tempdir().unwrap();
        let builder = builder(cache.path());
        let build = || builder.build(&TINY, PACKAGE, "tiny", "a second").unwrap();
        let (one, two) = std::thread::scope(|scope| {
            let one = scope.spawn(build);
            let two = scope.spawn(build);
            (one.join().unwrap(), two.join().unwrap())
        });
        assert_eq!(one, two);
        let metadata = fs::metadata(&one).unwrap();
        assert_ne!(metadata.permissions().mode() & 0o111, 0);
        let left: Vec<_> = fs::read_dir(one.parent().unwrap().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(PARTIAL))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        // A third run neither builds nor touches it.
        let before = metadata.modified().unwrap();
        assert_eq!(build(), one);
        assert_eq!(fs::metadata(&one).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn a_killed_build_leaves_nothing_that_looks_whole() {
        let cache = tempfile::tempdir().unwrap();
        let builder = builder(cache.path());
        let folder = builder.folder(&TINY);
        let stale = folder.join("partial-stale");
        fs::create_dir_all(&stale).unwrap();
        fs::write(stale.join("tiny"), "half a program").unwrap();
        let path = builder.build(&TINY, PACKAGE, "tiny", "a second").unwrap();
        assert!(!stale.exists());
        assert!(fs::metadata(path).unwrap().len() > 1000);
    }

    #[test]
    fn a_failed_build_says_what_go_said_and_leaves_no_program() {
        let cache = tempfile::tempdir().unwrap();
        let builder = builder(cache.path());
        let error = builder
            .build(&TINY, "cmd/no-such-program", "none", "a second")
            .unwrap_err();
        assert!(error.to_string().contains("no-such-program"), "{error}");
        assert!(!builder.folder(&TINY).join("bin/none").exists());
    }

    #[test]
    fn missing_go_is_one_clear_line() {
        let cache = tempfile::tempdir().unwrap();
        let builder = Builder {
            go: PathBuf::from("/nonexistent/go"),
            cache: cache.path().to_path_buf(),
        };
        let error = builder
            .build(&TINY, PACKAGE, "tiny", "a second")
            .unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("is not installed"), "{text}");
        assert!(text.contains("https://go.dev/dl"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
