//! Answers pressed together, where the caller takes that: gzip (RFC 1952), as every client knows it.
//!
//! * Only what is read over `/api/v1/{collection}` is pressed. What holds a secret beside words of somebody else's choosing (tokens,
//!   sign-in, errors that repeat a parameter) never is: its length would tell guesses from misses (BREACH).
//! * Nothing is held back between two pieces of a stream: a piece leaves as whole as it was made, so that what was looked up before it
//!   left holds for all of it.

use std::io::Write;

use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use actix_web::{HttpRequest, HttpResponseBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// Pressed.
    Gzip,
}

impl Coding {
    /// What a request takes (RFC 9110, section 12.5.3).
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let headers = request.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
        Self::wanted(headers.flat_map(|text| text.split(',')))
    }

    fn wanted<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let (mut named, mut any) = (None, None);
        for word in words {
            let mut parts = word.split(';');
            let coding = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=").map(str::trim));
            let taken = weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0));
            match coding.as_str() {
                "gzip" | "x-gzip" => named = Some(taken),
                "*" => any = Some(taken),
                _ => {}
            }
        }
        if named.or(any).unwrap_or(false) { Self::Gzip } else { Self::Identity }
    }

    /// What tells the tags of its answers from others'.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gzip",
        }
    }

    /// Says so in an answer.
    pub fn named(self, response: &mut HttpResponseBuilder) {
        if self == Self::Gzip {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
    }

    /// A whole answer.
    #[must_use]
    pub fn whole(self, body: Vec<u8>) -> Vec<u8> {
        let mut press = Press::new(self);
        let mut pressed = press.piece(body);
        pressed.extend(press.end());
        pressed
    }
}

/// Writes an answer in pieces.
pub struct Press(Option<GzEncoder<Vec<u8>>>);

impl Press {
    /// One that has written nothing.
    #[must_use]
    pub fn new(coding: Coding) -> Self {
        Self((coding == Coding::Gzip).then(|| GzEncoder::new(Vec::new(), Compression::fast())))
    }

    /// The next piece, whole: what it says can be read without the next.
    pub fn piece(&mut self, piece: Vec<u8>) -> Vec<u8> {
        let Some(encoder) = &mut self.0 else { return piece };
        // Memory takes whatever it is given.
        drop(encoder.write_all(&piece).and_then(|()| encoder.flush()));
        std::mem::take(encoder.get_mut())
    }

    /// What comes last.
    pub fn end(&mut self) -> Vec<u8> {
        self.0.take().and_then(|encoder| encoder.finish().ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_asked_for_is_done() {
        let wanted = |text: &str| Coding::wanted(text.split(','));
        for pressed in ["gzip", "br, gzip;q=0.5", "*", "GZIP;q=1.0", "identity;q=0.5, *;q=0.1", "x-gzip"] {
            assert_eq!(wanted(pressed), Coding::Gzip, "{pressed}");
        }
        for plain in ["", "identity", "br", "gzip;q=0", "gzip;q=0, *", "gzip;q=x", "*;q=0"] {
            assert_eq!(wanted(plain), Coding::Identity, "{plain}");
        }
    }

    #[test]
    fn every_piece_can_be_read_before_the_next() {
        let mut press = Press::new(Coding::Gzip);
        let (mut sent, mut said) = (Vec::new(), String::new());
        for number in 0..20 {
            let piece = format!("{number}: what was said before is said again\n").repeat(number + 1);
            said.push_str(&piece);
            sent.extend(press.piece(piece.into_bytes()));
            let mut read = vec![0; said.len()];
            flate2::read::GzDecoder::new(sent.as_slice()).read_exact(&mut read).unwrap();
            assert_eq!(read, said.as_bytes());
        }
        assert!(flate2::read::GzDecoder::new(sent.as_slice()).read_to_end(&mut Vec::new()).is_err(), "it has no end yet");
        sent.extend(press.end());
        flate2::read::GzDecoder::new(sent.as_slice()).read_to_end(&mut Vec::new()).unwrap();
    }
}
