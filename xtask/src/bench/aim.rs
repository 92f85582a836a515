//! Something to be reached.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::show;

/// Something to be reached.
pub(super) struct Aim {
    text: String,
    is_reached: bool,
}

impl Aim {
    pub(super) fn new(text: impl Into<String>, is_reached: bool) -> Self {
        Self {
            text: text.into(),
            is_reached,
        }
    }

    /// Shows all, and whether all are reached.
    pub(super) fn show(aims: &[Self]) -> Result<ExitCode> {
        show("")?;
        for aim in aims {
            show(&aim.to_string())?;
        }
        Ok(if aims.iter().all(|it| it.is_reached) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = if self.is_reached { "reached" } else { "MISSED" };
        write!(formatter, "{reached:8} {}", self.text)
    }
}
