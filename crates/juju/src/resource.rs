//! Resources: files and images that are uploaded along with the charm.

use std::path::PathBuf;

use crate::tools::{HookTools, ToolCommand, ToolError};

impl HookTools {
    /// Downloads a resource (`resource-get`) and returns its path.
    ///
    /// # Errors
    /// When the tool fails; `None` when there is no such resource.
    pub fn resource(&self, name: &str) -> Result<Option<PathBuf>, ToolError> {
        match self.run(&ToolCommand::new("resource-get").arg(name)) {
            Ok(path) => Ok(Some(PathBuf::from(path.trim_end_matches('\n')))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
