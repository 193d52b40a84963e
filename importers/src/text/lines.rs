//! A file as lines of bytes, before anybody knows what they mean.

use std::io::{self, Read};

use super::{BUFFER, read_some};

/// The lines of a file, each with the byte that ends it. A line longer than a buffer comes in pieces.
pub(super) struct Lines {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Lines {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, buffer: vec![0; BUFFER], start: 0, end: 0, ended: false }
    }

    /// The next line, or piece of one; nothing at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let length = loop {
            let held = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(end) = held.iter().position(is_line_end) {
                break end + 1;
            }
            if self.ended || held.len() == self.buffer.len() {
                break if self.ended { held.len() } else { whole_characters(held) };
            }
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let read = read_some(&mut *self.source, self.buffer.get_mut(self.end..).unwrap_or_default())?;
            self.end += read;
            self.ended = read == 0;
        };
        let line = self.buffer.get(self.start..self.start + length).filter(|line| !line.is_empty());
        self.start += length;
        Ok(line)
    }
}

/// Whether a line ends with this byte. The second half of `\r\n` is a line of its own then, and means the same in every encoding.
pub(super) fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// How many bytes are left without a character of UTF-8 that is cut off at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(4).position(|byte| *byte >= 0xc0);
    tail.map_or(bytes.len(), |back| bytes.len() - back - 1)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn nothing_is_lost_between_lines_and_no_character_is_cut() {
        let text = format!("short\r\n{}\nlast", "é".repeat(BUFFER));
        let mut lines = Lines::new(Box::new(io::Cursor::new(text.clone().into_bytes())));
        let mut all = String::new();
        while let Some(line) = lines.next().unwrap() {
            all.push_str(std::str::from_utf8(line).unwrap());
        }
        assert_eq!(all, text);
    }
}
