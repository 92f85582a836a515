//! Who asks from outside of the mesh: curl.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use charm_world::eventually;
use test_cluster::command::output_of;

/// What curl says of a connection that nobody takes.
const REFUSED: &str = "curl: (7)";

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    url: String,
    arguments: Vec<String>,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    status: u16,
    body: String,
    /// Where a redirection leads.
    location: String,
}

impl Request {
    pub(super) fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            arguments: Vec::new(),
        }
    }

    /// With a header, such as `cookie: a=b`.
    pub(super) fn header(self, header: &str) -> Self {
        self.arguments(["--header", header])
    }

    /// Trusts the certificates in a file, and no other.
    pub(super) fn trusting(self, authorities: &Path) -> Self {
        self.arguments(["--cacert", &authorities.display().to_string()])
    }

    fn arguments<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.arguments.extend(arguments.map(str::to_owned));
        self
    }

    fn send(&self) -> Result<Answer> {
        let output = output_of(
            curl()
                .args(["--max-time", "5", "--show-error"])
                .args(["--write-out", "\n%{http_code} %{redirect_url}"])
                .args(&self.arguments)
                .arg(&self.url),
        )?;
        let (body, rest) = output.rsplit_once('\n').context("curl tells nothing")?;
        let (status, location) = rest.split_once(' ').context("curl tells no redirection")?;
        Ok(Answer {
            status: status.parse()?,
            body: body.to_owned(),
            location: location.to_owned(),
        })
    }

    /// Waits until this is the answer: what the gateway gets to know takes a moment.
    pub(super) fn must_give(&self, status: u16, body: &str) -> Result<()> {
        eventually(&format!("{} answers {status}: {body}", self.url), || {
            let answer = self.send()?;
            ensure!(
                answer.status == status && answer.body == body,
                "it answers {answer}"
            );
            Ok(())
        })
    }

    /// Waits until the answer has this status, whatever it says.
    pub(super) fn must_be(&self, status: u16) -> Result<()> {
        eventually(&format!("{} answers {status}", self.url), || {
            let answer = self.send()?;
            ensure!(answer.status == status, "it answers {answer}");
            Ok(())
        })
    }

    /// Waits until it is sent elsewhere for good.
    pub(super) fn must_lead_to(&self, location: &str) -> Result<()> {
        eventually(&format!("{} leads to {location}", self.url), || {
            let answer = self.send()?;
            ensure!(
                answer.status == 301 && answer.location == location,
                "it answers {answer}"
            );
            Ok(())
        })
    }

    /// Waits until nobody takes the connection.
    pub(super) fn must_be_refused(&self) -> Result<()> {
        eventually(&format!("{} is refused", self.url), || match self.send() {
            Ok(answer) => bail!("it answers {answer}"),
            Err(error) if format!("{error:#}").contains(REFUSED) => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// Fails unless the certificate is not one of those that are trusted.
    pub(super) fn must_not_trust(&self) -> Result<()> {
        match self.send() {
            Ok(answer) => bail!("{} is trusted and answers {answer}", self.url),
            Err(error) if format!("{error:#}").contains("curl: (60)") => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.status, self.location, self.body)
    }
}

fn curl() -> Command {
    let mut command = Command::new("curl");
    command.args(["--silent", "--noproxy", "*"]);
    command
}

/// Somebody without a login who tries all the time, each time with a new connection. Ends when it
/// is dropped.
#[derive(Debug)]
pub(super) struct Intruder {
    curl: Child,
    seen: Arc<Mutex<Vec<String>>>,
    /// How many answers do not count: nobody had to check requests then.
    before: usize,
}

impl Intruder {
    /// Begins to try, with whatever certificate is served.
    pub(super) fn begin(url: &str) -> Result<Self> {
        let mut curl = curl()
            .args(["--insecure", "--max-time", "5", "--rate", "20/s"])
            .args(["--header", "connection: close", "--output", "/dev/null"])
            // Standard error, as curl keeps back what it writes to a pipe.
            .args(["--write-out", "%{stderr}%{http_code}\n"])
            .arg(format!("{url}?[1-1000000]"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run curl")?;
        let output = curl.stderr.take().context("curl has no standard error")?;
        let seen = Arc::default();
        let writer: Arc<Mutex<Vec<String>>> = Arc::clone(&seen);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let mut seen = writer.lock().unwrap_or_else(PoisonError::into_inner);
                seen.push(line);
            }
        });
        Ok(Self {
            curl,
            seen,
            before: 0,
        })
    }

    /// Waits until its connections are refused. What it sees from then on counts.
    pub(super) fn must_be_shut_out(&mut self) -> Result<()> {
        eventually("an intruder is refused", || {
            let seen = self.seen();
            let last = seen.last().context("it has not tried")?;
            // That of a request without an answer.
            ensure!(last == "000", "it sees {last}");
            self.before = seen.len();
            Ok(())
        })
    }

    /// Fails if a request of its has passed. Tells what it saw.
    pub(super) fn must_not_have_passed(&mut self) -> Result<String> {
        ensure!(self.curl.try_wait()?.is_none(), "curl has ended");
        let mut times = BTreeMap::<_, usize>::new();
        let seen = self.seen();
        for status in seen.iter().skip(self.before) {
            *times.entry(status.as_str()).or_default() += 1;
        }
        let told: Vec<String> = times
            .iter()
            .map(|(it, n)| format!("{it} {n} times"))
            .collect();
        let told = told.join(", ");
        ensure!(!times.is_empty(), "it has not tried");
        let passed = times.keys().any(|status| status.starts_with('2'));
        ensure!(!passed, "an intruder has passed; it saw {told}");
        Ok(told)
    }

    fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Intruder {
    fn drop(&mut self) {
        // It may have ended by itself; nothing else can be done about a failure.
        let _ = self.curl.kill();
        let _ = self.curl.wait();
    }
}
