//! The charm's program.

fn main() -> std::process::ExitCode {
    client::charm().main()
}
