//! The real program as a process of its own: built from what the tests were built from, started, listened to, killed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a program that cannot be started is a test that failed"
)]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::TestDatabase;

/// Where the program is, up to date. Cargo is asked once in a process.
///
/// # Panics
/// If it does not build.
#[must_use]
pub fn built() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(build)
}

/// The program, with nothing of the configuration of a developer's own shell.
#[must_use]
pub fn program() -> Command {
    hayward::tls::install();
    let mut program = Command::new(built());
    for variable in hayward::reference::variable_names(&hayward::cli::command()) {
        program.env_remove(variable);
    }
    program
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // A test lies in `deps` of its profile's folder, a program in the folder itself.
    let this = std::env::current_exe().unwrap();
    let profile = this.ancestors().find(|folder| folder.join("deps").is_dir()).expect("cargo built this program");
    let release = profile.file_name().is_some_and(|name| name == "release");
    let mut build = Command::new(cargo);
    // What cargo tells a test about its package. Build scripts of other packages ask for the same names: with them set, cargo would
    // build those again, and everything that stands on them.
    let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(told)) {
        build.env_remove(name);
    }
    // Named together, they share the features, and so what the tests were built from.
    let built = build
        .args(["build", "--quiet", "--message-format", "json", "--bin", "hayward", "-p", "hayward", "-p", "hayward-tests"])
        .args(release.then_some("--release"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("CARGO_TARGET_DIR", profile.parent().unwrap())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    let of = |line: &str| serde_json::from_str::<Value>(line).unwrap()["executable"].as_str().map(PathBuf::from);
    messages.lines().find_map(of).expect("cargo says where it put the program")
}

/// The program with the database and the keys of one commons.
#[must_use]
pub fn program_on(db: &TestDatabase) -> Command {
    let mut program = program();
    program.env("DATABASE_URL", db.url()).env("HAYWARD_KEY_FILE", key_file(db)).env("HAYWARD_LOG", "warn");
    program
}

/// `serve` of one commons, on a free port.
#[must_use]
pub fn serve_on(db: &TestDatabase) -> Command {
    let mut program = program_on(db);
    program.args(["serve", "--listen", "127.0.0.1:0"]);
    program
}

/// Where the keys of a commons lie in the tests that start the program.
#[must_use]
pub fn key_file(db: &TestDatabase) -> PathBuf {
    db.folder().join("keys")
}

/// A process that is killed when it is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a command whose standard output nobody reads. What it complains about is added to the file `log`.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(program: &mut Command, log: &Path) -> Self {
        Self { child: program.stdout(Stdio::null()).stderr(append(log)).spawn().unwrap() }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`. Whether it was still running.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn kill(mut self) -> bool {
        let running = self.child.try_wait().unwrap().is_none();
        let _ended = self.child.kill();
        self.child.wait().unwrap();
        running
    }

    /// Waits for its end; whether it ended well.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn ended_well(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A server that answers.
pub struct Served {
    /// Where it listens: `http://127.0.0.1:…`.
    pub url: String,
    process: Process,
    // Closed, it would break what the server prints later.
    _out: BufReader<ChildStdout>,
}

impl Served {
    /// Starts `program`, a `serve` on port 0, and waits until it listens.
    ///
    /// # Panics
    /// If it ends before it listens.
    #[must_use]
    pub fn start(program: &mut Command, log: &Path) -> Self {
        Self::try_start(program, log)
            .unwrap_or_else(|complaint| unreachable!("the program ended instead of serving: {complaint}"))
    }

    /// The same for a program that may refuse to serve.
    ///
    /// # Errors
    /// All that stands in `log`, if it ends before it listens.
    pub fn try_start(program: &mut Command, log: &Path) -> Result<Self, String> {
        let mut child = program.stdout(Stdio::piped()).stderr(append(log)).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let process = Process { child };
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        match line.trim_end().strip_prefix("listening on ") {
            Some(url) => Ok(Self { url: url.to_owned(), process, _out: out }),
            None => Err(std::fs::read_to_string(log).unwrap_or_default()),
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// If it had ended before: nobody asked it to.
    pub fn kill(self) {
        assert!(self.process.kill(), "the program ended by itself");
    }
}

fn append(log: &Path) -> File {
    File::options().create(true).append(true).open(log).unwrap()
}
