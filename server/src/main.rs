//! The `hayward` program.

/// Answers are many short-lived texts, made on several threads: the C library's allocator took a fifth of the reading time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hayward::cli::run()
}
