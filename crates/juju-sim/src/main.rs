//! The command line of the Juju model in a box, and its hook tools.

fn main() -> std::process::ExitCode {
    juju_sim::program::main()
}
