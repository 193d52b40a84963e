//! The program as a process: built, started, listened to, stopped.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hayward_tests::TestDatabase;
use hayward_tests::program::program;
use reqwest::blocking::Client;
use serde_json::Value;

/// Runs the program to its end.
pub fn run(arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Output {
    let mut program = program();
    prepare(program.args(arguments));
    program.output().unwrap()
}

/// What a command with `--json` printed: one object and nothing else.
#[track_caller]
pub fn printed(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.trim().lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A server that runs beside us; stopped when this is dropped.
pub struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub url: String,
}

impl Running {
    fn start(mut program: Command) -> Self {
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, lines, url: String::new() };
        let first = running.line();
        running.url = first.strip_prefix("listening on ").expect("one line with the URL").to_owned();
        running
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.lines.read_line(&mut line).unwrap() > 0, "the program ended");
        line.trim_end().to_owned()
    }

    /// Asks it to end, as a service manager does.
    pub fn stop(mut self) {
        // It answers: it has taken over what a signal does.
        assert_eq!(http().get(format!("{}/healthz", self.url)).send().unwrap().status(), 200);
        let began = Instant::now();
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(self.child.wait().unwrap().success(), "it ends well");
        assert!(began.elapsed() < Duration::from_secs(12));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, where the test came to its end.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A client that asks without a proxy.
pub fn http() -> Client {
    hayward::tls::install();
    Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

/// Serves a database with keys beside it, on a free port.
pub fn serving(command: &str, db: &TestDatabase, more: &[&str]) -> Running {
    let mut program = program();
    program.args([command, "--listen", "127.0.0.1:0", "--database-url", db.url()]).args(more);
    program.env("HAYWARD_KEY_FILE", db.folder().join("keys"));
    Running::start(program)
}
