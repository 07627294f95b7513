//! The charm's program.

fn main() -> std::process::ExitCode {
    zookeeper::charm().main()
}
