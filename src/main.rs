//! `dispatch`, the charm; and `istio-pilot`, the same program as a tool for people.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let variables = std::env::vars_os().filter_map(|(key, value)| Some((text(key)?, text(value)?)));
    let variables: Vec<(String, String)> = variables.collect();
    let arguments: Vec<_> = std::env::args_os().collect();
    let program = arguments
        .first()
        .cloned()
        .and_then(text)
        .unwrap_or_default();
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let result = if istio_pilot::charm::dispatch::is_dispatch(&variables, &program) {
        runtime.block_on(istio_pilot::charm::dispatch::dispatch(variables, &program))
    } else {
        runtime.block_on(istio_pilot::cli::run(arguments, &variables))
    };
    result.unwrap_or_else(|error| fail(&error))
}

fn text(value: OsString) -> Option<String> {
    value.into_string().ok()
}

/// Prints one line to standard error, with all causes.
fn fail(error: &anyhow::Error) -> ExitCode {
    // If this fails, there is no other place to report it.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}
