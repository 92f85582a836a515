//! A unit's files: its copy of the charm and the links to the hook tools.

use std::fs;
use std::os::unix::fs::symlink;

use super::Model;
use crate::Error;
use crate::charm::copy_folder;
use crate::tools;

impl Model {
    /// Gives a unit a fresh copy of its application's charm, as a new pod has it, and its tools.
    pub(super) fn write_unit_files(&self, application: &str, unit: &str) -> Result<(), Error> {
        let application = self.application(application)?;
        let paths = self.paths(unit);
        if paths.charm.exists() {
            fs::remove_dir_all(&paths.charm).map_err(Error::file("remove", &paths.charm))?;
        }
        copy_folder(&application.charm.folder, &paths.charm)?;
        let revision = application.revision.to_string();
        let origin = format!("local:{}-{revision}\n", application.charm.name);
        for (name, content) in [(".juju-charm", &origin), ("revision", &revision)] {
            let path = paths.charm.join(name);
            fs::write(&path, content).map_err(Error::file("write", &path))?;
        }
        fs::create_dir_all(&paths.tools).map_err(Error::file("create folder", &paths.tools))?;
        for tool in tools::NAMES {
            let link = paths.tools.join(tool);
            if fs::symlink_metadata(&link).is_ok() {
                fs::remove_file(&link).map_err(Error::file("remove", &link))?;
            }
            symlink(&self.program, &link).map_err(Error::file("link", &link))?;
        }
        Ok(())
    }

    pub(super) fn remove_unit_files(&self, unit: &str) -> Result<(), Error> {
        let paths = self.paths(unit);
        let agent = paths.charm.parent().unwrap_or(&paths.charm);
        for folder in [agent, &paths.tools] {
            if folder.exists() {
                fs::remove_dir_all(folder).map_err(Error::file("remove", folder))?;
            }
        }
        Ok(())
    }
}
