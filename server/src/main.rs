//! The `hayward` program.

fn main() -> std::process::ExitCode {
    hayward::cli::run()
}
