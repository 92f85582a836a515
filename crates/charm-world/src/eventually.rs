//! Waiting for what others do in their own time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// How long to wait. Far more than is ever needed: it only decides how late a failure is reported.
const LONGEST: Duration = Duration::from_secs(60);
/// From one attempt to the next.
const PAUSE: Duration = Duration::from_millis(100);

/// Tries until it works, and returns what it gave.
///
/// # Errors
/// After a minute, with `what` was waited for and the last attempt's error.
pub fn eventually<T>(what: &str, attempt: impl FnMut() -> Result<T>) -> Result<T> {
    eventually_within(LONGEST, what, attempt)
}

/// Waits until something is so. A condition that cannot be found out is tried again.
///
/// # Errors
/// As [`eventually`].
pub fn until(what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    eventually(what, || {
        ensure!(condition()?, "it is not so");
        Ok(())
    })
}

fn eventually_within<T>(
    longest: Duration,
    what: &str,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + longest;
    loop {
        let result = attempt();
        if result.is_ok() || Instant::now() > deadline {
            let waited = || format!("waited {} s in vain until {what}", longest.as_secs());
            return result.with_context(waited);
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn it_tries_again_until_it_works() {
        let mut attempts = 0;
        let answer = eventually("it works", || {
            attempts += 1;
            if attempts < 3 {
                bail!("not yet");
            }
            Ok(attempts)
        });
        assert_eq!(answer.unwrap(), 3);
    }

    #[test]
    fn a_failure_has_what_was_waited_for_and_the_last_error() {
        let error = eventually_within::<()>(Duration::ZERO, "pigs fly", || bail!("too heavy"));
        let text = format!("{:#}", error.unwrap_err());
        assert_eq!(text, "waited 0 s in vain until pigs fly: too heavy");
    }

    #[test]
    fn a_condition_is_asked_until_it_holds() {
        let mut answers = [Ok(false), Err(anyhow::anyhow!("away")), Ok(true)].into_iter();
        until("it is so", || answers.next().unwrap()).unwrap();
        assert!(answers.next().is_none());
    }
}
