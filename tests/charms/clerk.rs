//! The charm `clerk` as a program; its handlers are in `support/clerk.rs`.

fn main() -> std::process::ExitCode {
    tests::clerk::charm().main()
}
