//! A bar on the terminal while a long file is at work; nothing where nobody is looking.

use std::fs::File;
use std::io::{Read, Result};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use hayward_importers::{FileSource, Source};
use hayward_store::{ImportProgress, Phase};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar moves.
const MOVES: Duration = Duration::from_millis(250);

/// One bar, on the standard error stream.
pub(super) struct Bar {
    drawn: ProgressBar,
}

impl Bar {
    /// Where the standard error stream is no terminal nothing is drawn.
    pub(super) fn new() -> Self {
        Self { drawn: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4)) }
    }

    /// Begins something, of which there is so much to do.
    pub(super) fn begin(&self, phase: Phase, of: u64) {
        let template = match phase {
            Phase::Reading => "{msg} {wide_bar} {bytes}/{total_bytes}",
            Phase::Comparing | Phase::Writing => "{msg} {wide_bar} {human_pos}/{human_len} rows",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.drawn.set_style(style);
        }
        self.drawn.set_message(match phase {
            Phase::Reading => "reading",
            Phase::Comparing => "checking",
            Phase::Writing => "writing",
        });
        self.drawn.set_length(of);
        self.drawn.set_position(0);
    }

    /// So much is done.
    pub(super) fn at(&self, done: u64) {
        self.drawn.set_position(done);
    }

    /// Works while the bar shows what `look` finds.
    pub(super) fn beside<T>(self, look: impl Fn() -> Option<ImportProgress> + Send, work: impl FnOnce() -> T) -> T {
        if self.drawn.is_hidden() {
            return work();
        }
        let (end, ended) = channel::<()>();
        thread::scope(|scope| {
            let bar = &self;
            scope.spawn(move || {
                let mut phase = None;
                while ended.recv_timeout(MOVES) == Err(RecvTimeoutError::Timeout) {
                    let Some(progress) = look() else { continue };
                    if phase != Some((progress.phase, progress.of)) {
                        phase = Some((progress.phase, progress.of));
                        bar.begin(progress.phase, progress.of);
                    }
                    bar.at(progress.done);
                }
            });
            let done = work();
            drop(end);
            done
        })
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}

/// A file whose bar moves as it is read.
pub(super) struct Watched<'a> {
    pub(super) file: &'a FileSource,
    pub(super) bar: &'a Bar,
}

impl Source for Watched<'_> {
    fn open(&self) -> Result<Box<dyn Read + Send>> {
        let read = self.file.open()?;
        Ok(if self.bar.drawn.is_hidden() { read } else { Box::new(self.bar.drawn.wrap_read(read)) })
    }

    fn file(&self) -> Result<Option<File>> {
        self.file.file()
    }

    fn name(&self) -> &str {
        self.file.name()
    }
}
