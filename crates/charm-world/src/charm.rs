//! The charm to deploy.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// What the charm declares, in files of the repository's root.
const DECLARATIONS: [&str; 3] = ["metadata.yaml", "config.yaml", "actions.yaml"];

/// A charm that can be deployed. A temporary folder that it needs goes with it.
#[derive(Debug)]
pub struct Charm {
    path: PathBuf,
    /// Removes the folder at the end, if it was made here.
    _folder: Option<TempDir>,
}

impl Charm {
    /// The charm as it is packed, with a link to `program` as its `dispatch`: nothing has to be
    /// packed to try a program that cargo has just built.
    ///
    /// # Errors
    /// When `program` does not exist, or the folder cannot be written.
    pub fn of_program(program: &Path) -> Result<Self> {
        let program = fs::canonicalize(program)
            .with_context(|| format!("there is no program {}", program.display()))?;
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = tempfile::Builder::new()
            .prefix("charm-world-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        for file in DECLARATIONS {
            let source = repository.join(file);
            fs::copy(&source, folder.path().join(file))
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
        symlink(program, folder.path().join("dispatch"))?;
        Ok(Self {
            path: folder.path().to_owned(),
            _folder: Some(folder),
        })
    }

    /// A `.charm` file, or a folder with the same content.
    pub fn packed(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            _folder: None,
        }
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_folder_has_what_a_charm_needs_and_goes_with_it() {
        let program = tempfile::NamedTempFile::new().unwrap();
        let charm = Charm::of_program(program.path()).unwrap();
        for file in DECLARATIONS {
            assert!(charm.path().join(file).is_file(), "{file}");
        }
        let dispatch = fs::read_link(charm.path().join("dispatch")).unwrap();
        assert_eq!(dispatch, fs::canonicalize(program.path()).unwrap());
        let folder = charm.path().to_owned();
        drop(charm);
        assert!(!folder.exists());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Charm::of_program(Path::new("/no/such/program")).unwrap_err();
        assert!(error.to_string().contains("/no/such/program"), "{error}");
    }
}
