//! Hook tools that fail because a test wants them to.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use super::Failure;

/// How a hook tool fails, for [`Model::fail_tool`](crate::Model::fail_tool): the next call, once,
/// with exit code 1, unless set otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolFailure {
    message: String,
    exit_code: NonZeroU8,
    after: usize,
    /// How many more calls fail; `None` for all of them.
    times: Option<usize>,
}

impl ToolFailure {
    /// Fails with this message, which the tool prints on standard error as Juju's tools do, with
    /// `ERROR ` before it.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit_code: NonZeroU8::MIN,
            after: 0,
            times: Some(1),
        }
    }

    /// The exit code. Juju's own are 1 for what failed and 2 for wrong arguments.
    #[must_use]
    pub fn exit_code(mut self, code: NonZeroU8) -> Self {
        self.exit_code = code;
        self
    }

    /// How many calls succeed first, in whatever hooks and units they are made.
    #[must_use]
    pub fn after(mut self, calls: usize) -> Self {
        self.after = calls;
        self
    }

    /// How many calls fail then, one after the other.
    #[must_use]
    pub fn times(mut self, calls: usize) -> Self {
        self.times = Some(calls);
        self
    }

    /// Every call fails, until [`Model::restore_tool`](crate::Model::restore_tool).
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Whether this call fails; each call counts.
    fn is_next(&mut self) -> bool {
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// The tools that are to fail, by name.
#[derive(Debug, Default)]
pub(crate) struct ToolFailures(BTreeMap<String, ToolFailure>);

impl ToolFailures {
    pub(crate) fn insert(&mut self, tool: &str, failure: ToolFailure) {
        self.0.insert(tool.to_owned(), failure);
    }

    pub(crate) fn remove(&mut self, tool: &str) {
        self.0.remove(tool);
    }

    /// Counts a call; `Some` if it is to fail.
    pub(super) fn count(&mut self, tool: &str) -> Option<Failure> {
        let failure = self.0.get_mut(tool)?;
        let fails = failure.is_next();
        fails.then(|| Failure::Injected(failure.exit_code.get(), failure.message.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(failure: ToolFailure) -> [bool; 6] {
        let mut failures = ToolFailures::default();
        failures.insert("state-get", failure);
        std::array::from_fn(|_| {
            assert_eq!(failures.count("state-set"), None);
            failures.count("state-get").is_some()
        })
    }

    #[test]
    fn calls_fail_after_so_many_and_so_often() {
        let failure = || ToolFailure::new("no");
        let (yes, no) = (true, false);
        for (failure, expected) in [
            (failure(), [yes, no, no, no, no, no]),
            (failure().after(2), [no, no, yes, no, no, no]),
            (failure().after(1).times(3), [no, yes, yes, yes, no, no]),
            (failure().times(0), [no; 6]),
            (failure().always(), [yes; 6]),
            (failure().after(4).always(), [no, no, no, no, yes, yes]),
        ] {
            assert_eq!(failing(failure.clone()), expected, "{failure:?}");
        }
    }
}
