//! A charm of ten handlers that watches nothing of Juju's: its `update-status` is the no-op hook.

mod ordinary;

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
