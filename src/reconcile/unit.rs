//! Whom a reconcile runs for.

use juju::{Status, ToolError};

/// The unit that reconciles.
pub trait Unit {
    /// Shows how far it is.
    fn show(&mut self, status: &Status);

    /// Whether it is the leader, asked anew.
    ///
    /// # Errors
    /// When nobody can tell.
    fn leads(&mut self) -> Result<bool, ToolError>;
}

/// A function shows, and leads nobody: it is for looking only.
impl<F: FnMut(&Status)> Unit for F {
    fn show(&mut self, status: &Status) {
        self(status);
    }

    fn leads(&mut self) -> Result<bool, ToolError> {
        Ok(false)
    }
}
