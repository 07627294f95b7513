//! A charm without handlers.

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
