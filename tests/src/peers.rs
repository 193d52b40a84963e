//! Programs of other people, asked whether our files and answers are what we say: daff, frictionless, LibreOffice, and OAuth clients.
//!
//! `tests/peers/install` installs them, and `tests/run` calls it. A test whose peer is missing fails: one that was skipped would
//! have shown nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The Python that has daff and frictionless.
///
/// # Panics
/// Where it is not installed.
#[must_use]
pub fn python() -> Command {
    of_environment("python")
}

/// A script of ours for Node, under `tests/peers`, with the packages of Node beside it.
///
/// # Panics
/// Where Node or its packages are not installed.
#[must_use]
pub fn node(script: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let home = root.join("target/peers-node");
    if !home.join("stamp").is_file() {
        missing("the packages of Node are not installed: run `bash tests/peers/install`");
    }
    let mut command = named("node".as_ref());
    // Modules are looked for beside the script, so that it lies beside them while it runs.
    let script = root.join("tests/peers").join(script);
    command.arg("--import").arg(root.join("tests/peers/resolve.mjs")).arg(script);
    command.env("HAYWARD_PEERS", home);
    command
}

/// The program `daff`.
///
/// # Panics
/// Where it is not installed.
#[must_use]
pub fn daff() -> Command {
    of_environment("daff")
}

/// The program `frictionless`.
///
/// # Panics
/// Where it is not installed.
#[must_use]
pub fn frictionless() -> Command {
    let mut command = of_environment("frictionless");
    // Otherwise it folds its lines to the width of a terminal.
    command.env("COLUMNS", "200").env("NO_COLOR", "1");
    command
}

/// What LibreOffice makes of `file` in the format that it calls `filter`, such as `csv:"Text - txt - csv (StarCalc)":44,34,76,1`; its
/// last line tells which ending the result has. The folder holds nothing else.
///
/// # Panics
/// Where it is not installed, or does not convert the file.
#[must_use]
pub fn converted(file: &Path, filter: &str) -> (TempDir, PathBuf) {
    let out = folder();
    // Two of them cannot share one profile.
    let profile = folder();
    let mut office = named("soffice".as_ref());
    office.env("HOME", profile.path()).arg("--headless").arg("--norestore");
    office.arg(format!("-env:UserInstallation=file://{}", profile.path().display()));
    office.arg("--convert-to").arg(filter).arg("--outdir").arg(out.path()).arg(file);
    let said = run(&mut office);
    let ending = filter.split(':').next().unwrap_or_default();
    let made = out.path().join(file.file_stem().unwrap_or_default()).with_extension(ending);
    assert!(made.is_file(), "LibreOffice did not convert the file: {}", String::from_utf8_lossy(&said.stderr));
    (out, made)
}

/// The cells that LibreOffice sees in the first sheet of `file`: as text, every cell quoted.
///
/// # Panics
/// As [`converted`].
#[must_use]
pub fn cells(file: &Path) -> Vec<Vec<String>> {
    // Comma, quote, UTF-8, from line 1, columns as they are, English, quote all text, cells as they are shown.
    let (_folder, made) = converted(file, "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,true,true");
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(made);
    let Ok(mut reader) = reader else { missing("the csv that LibreOffice made cannot be opened") };
    let rows = reader.records().map(|row| row.map(|row| row.iter().map(str::to_owned).collect()));
    match rows.collect() {
        Ok(rows) => rows,
        Err(error) => missing(&format!("the csv that LibreOffice made cannot be read: {error}")),
    }
}

/// Runs `command` to its end.
///
/// # Panics
/// Where it cannot be started or does not succeed; with what it said.
#[must_use]
pub fn run(command: &mut Command) -> Output {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => missing(&format!("{command:?} cannot be started: {error}")),
    };
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", said(&output.stdout), said(&output.stderr));
    output
}

fn of_environment(program: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    named(root.join("target/peers/bin").join(program).as_ref())
}

fn named(program: &OsStr) -> Command {
    let path = Path::new(program);
    let is_there = if path.is_absolute() {
        path.is_file()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    if !is_there {
        missing(&format!("{} is not installed: run `bash tests/peers/install`", path.display()));
    }
    Command::new(program)
}

fn folder() -> TempDir {
    match TempDir::new() {
        Ok(folder) => folder,
        Err(error) => missing(&format!("no temporary folder: {error}")),
    }
}

#[expect(clippy::panic, reason = "a test that cannot ask its peer has failed")]
fn missing(why: &str) -> ! {
    panic!("{why}")
}
