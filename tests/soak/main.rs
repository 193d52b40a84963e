//! A server under load for a while: does it stay as it was?
//!
//! Everybody of [`hayward_tests::load`] works against the real program, which is sampled from outside. See `tests/soak/run`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a soak that cannot run says so and ends")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::checker::Checker;
use hayward_tests::cluster::VARIABLE;
use hayward_tests::commons::keyring;
use hayward_tests::load::{Work, found};
use hayward_tests::program::{Served, serve_on};
use hayward_tests::{Kind, raw};

/// Samples of a run. The first quarter is for warming up.
const SAMPLES: u32 = 40;
/// Records of the large list.
const RECORDS: usize = 3_000;
/// What the later half of a run may have above the earlier one before it counts as growing.
const SLACK: f64 = 1.3;

/// How things stood at one moment.
#[derive(Clone, Copy)]
struct Sample {
    at: Duration,
    resident_kib: u64,
    descriptors: u64,
    wal_kib: u64,
}

fn main() -> ExitCode {
    let minutes: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2);
    let mut kinds = vec![Kind::Sqlite];
    if std::env::var(VARIABLE).is_ok_and(|url| !url.is_empty()) {
        kinds.push(Kind::Postgres);
    }
    // Each of them, whatever the one before says.
    let good: Vec<bool> = kinds.into_iter().map(|kind| soak(kind, Duration::from_secs(minutes.min(60) * 60))).collect();
    if good.iter().all(|good| *good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One run; whether nothing was wrong.
fn soak(kind: Kind, span: Duration) -> bool {
    let mut world = found(kind, 1, RECORDS).unwrap();
    let log = world.database.folder().join("log");
    let served = Served::start(&mut serve_on(&world.database), &log);
    let work = Work::at(&served.url);
    let mut samples = Vec::new();
    world.busy(&work, |database| {
        let began = Instant::now();
        for _ in 0..SAMPLES {
            thread::sleep(span / SAMPLES);
            samples.push(sample(served.id(), database.folder(), began.elapsed()));
        }
        work.stop();
    });
    println!("\n{kind:?}, {} s\n{:>6} {:>12} {:>12} {:>10}", span.as_secs(), "s", "memory KiB", "descriptors", "WAL KiB");
    for one in samples.iter().step_by(4) {
        println!("{:>6} {:>12} {:>12} {:>10}", one.at.as_secs(), one.resident_kib, one.descriptors, one.wal_kib);
    }
    println!("answers by status: {:?}", work.answered());
    let mut faults = work.complaints();
    faults.truncate(20);
    // A few megabytes or descriptors more are no trend.
    for (what, few, of) in [
        ("memory", 8_192, (|one| one.resident_kib) as fn(&Sample) -> u64),
        ("the number of descriptors", 16, |one| one.descriptors),
        ("the write-ahead log", 16_384, |one| one.wal_kib),
    ] {
        if grows(&samples, few, of) {
            faults.push(format!("{what} keeps growing"));
        }
    }
    let editions = raw::count(&world.database, "editions");
    let steps = raw::count(&world.database, "agreement_events");
    println!("{editions} editions, {steps} steps of agreements");
    served.kill();
    faults.extend(Checker::new(keyring()).cold(&world.database).faults);
    faults.iter().for_each(|fault| println!("WRONG: {fault}"));
    faults.is_empty()
}

fn sample(pid: u32, folder: &Path, at: Duration) -> Sample {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let logs: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().ends_with("-wal")).collect();
    Sample {
        at,
        resident_kib: resident.trim().trim_end_matches(" kB").parse().unwrap_or(0),
        descriptors: std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as u64,
        wal_kib: logs.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len() / 1024).sum(),
    }
}

/// Whether the last quarter of a run has, at its lowest, clearly more than the second one at its highest: the first is for warming up.
fn grows(samples: &[Sample], few: u64, of: fn(&Sample) -> u64) -> bool {
    let quarter = samples.len() / 4;
    let before = samples.iter().skip(quarter).take(quarter).map(of).max().unwrap_or(0);
    let after = samples.iter().skip(3 * quarter).map(of).min().unwrap_or(0);
    after > before + few && after as f64 > before as f64 * SLACK
}
