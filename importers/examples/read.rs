//! Reads a file twice, as `hayward check` does, and says what that took: `cargo run --release --example read -- FILE [SCHEMA]`.

use std::time::Instant;

use hayward_domain::schema::built_in;
use hayward_importers::{FileSource, Matching, judged, profile, suggest};

fn main() {
    let mut args = std::env::args().skip(1);
    let (path, name) = (args.next().unwrap_or_default(), args.next().unwrap_or_else(|| "organization".to_owned()));
    let Some(schema) = built_in().unwrap_or_default().into_iter().find(|schema| schema.name == name) else { return };
    let (source, begun) = (FileSource::new(&path, &path), Instant::now());
    let read = profile(&source).and_then(|profile| {
        let matching = Matching::from_columns(&suggest(&profile, &schema, None));
        let rows = judged(&source, &profile, &schema, &matching)?.try_fold(0_u64, |rows, row| row.map(|_| rows + 1))?;
        Ok(format!("{rows} rows, {:?}", profile.reading))
    });
    let took = begun.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    let said = read.unwrap_or_else(|refusal| format!("{}: {refusal}", refusal.code()));
    #[expect(clippy::print_stdout, reason = "a program for one's own terminal")]
    {
        println!("{said}\n{took:?} {peak}");
    }
}
