//! Files that are made whole before their first byte leaves: what cannot be made is refused, and never cut off in the middle.
//!
//! Both the making and the sending take little memory: the file lies in the folder for temporary files, without a name, and goes out
//! in pieces. Making runs where a dropped request does not matter.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream::try_unfold;
use hayward_store::Store;

use super::imports::turn;
use crate::auth::bearer::unknown_token;
use crate::commons::Commons;
use crate::error::Error;

/// The media type of a workbook.
pub const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Bytes that leave in one piece.
const PIECE: u64 = 256 * 1024;

/// The longest name that a file is given, in characters, without its ending.
const NAME: usize = 80;

/// A file that is ready to go.
pub struct Made {
    file: File,
    size: u64,
}

/// Makes a file.
///
/// # Errors
/// What `work` ends with, and [`Error::Unavailable`] where there is no place for the file.
pub async fn make(
    commons: &Commons,
    work: impl FnOnce(&Arc<Store>, &mut File) -> Result<(), Error> + Send + 'static,
) -> Result<Made, Error> {
    let turn = turn(commons).await?;
    commons
        .run(move |store| {
            // The turn ends with the work, not with the request.
            let _turn = turn;
            let mut file = tempfile::tempfile().map_err(unwritten)?;
            work(store, &mut file)?;
            Made::of(file)
        })
        .await
}

fn unwritten(error: std::io::Error) -> Error {
    Error::Unavailable(format!("a temporary file could not be written or read: {}", error.kind()))
}

impl Made {
    /// What was written into a file.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn of(mut file: File) -> Result<Self, Error> {
        let size = file.metadata().map_err(unwritten)?.len();
        file.seek(SeekFrom::Start(0)).map_err(unwritten)?;
        Ok(Self { file, size })
    }

    /// The answer. The token is looked up again before every piece.
    #[must_use]
    pub fn send(self, commons: Data<Commons>, token_hash: String, media_type: &str, filename: &str) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.content_type(media_type);
        response.insert_header(("Cache-Control", "private, no-store"));
        response.insert_header((CONTENT_DISPOSITION, disposition(filename)));
        self.leave(response, move || {
            let (commons, hash) = (commons.clone(), token_hash.clone());
            async move { commons.run(move |store| store.caller(&hash).map(drop).map_err(unknown_token)).await }
        })
    }

    /// The file as the body of `response`, in pieces. Before each is handed over, `may` says whether it may leave.
    #[must_use]
    pub fn leave<F>(self, mut response: HttpResponseBuilder, may: impl Fn() -> F + Clone + 'static) -> HttpResponse
    where
        F: Future<Output = Result<(), Error>>,
    {
        let Self { file, size } = self;
        let pieces = try_unfold((file, size), move |(mut file, left)| {
            let may = may.clone();
            async move {
                if left == 0 {
                    return Ok::<_, Error>(None);
                }
                let wanted = left.min(PIECE);
                let read = move || {
                    let mut piece = vec![0; usize::try_from(wanted).unwrap_or(0)];
                    file.read_exact(&mut piece).map(|()| (piece, file))
                };
                let read = actix_web::web::block(read).await;
                let read = read.map_err(|_| Error::Unavailable("a temporary file was not read".to_owned()))?;
                let (piece, file) = read.map_err(unwritten)?;
                may().await?;
                Ok(Some((Bytes::from(piece), (file, left - wanted))))
            }
        });
        response.body(SizedStream::new(size, Box::pin(pieces)))
    }
}

/// The name of a file to be, made of what people call something: no path, nothing that a shell, a header or a file system could
/// take for its own, and the ending that we give it.
#[must_use]
pub fn named(called: &str, ending: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = called.chars().take(NAME).map(plain).collect();
    let name = name.trim_matches('_');
    format!("{}.{ending}", if name.is_empty() { "list" } else { name })
}

/// RFC 6266, with the name in Unicode for who reads RFC 8187.
fn disposition(filename: &str) -> String {
    let ascii: String = filename.chars().map(|letter| if letter.is_ascii() { letter } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in filename.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_wherever_it_lands() {
        assert_eq!(named("../Mitglieder \"2026\"\r\nX: y; rm -rf", "xlsx"), "Mitglieder__2026___X__y__rm_-rf.xlsx");
        assert_eq!(named("\u{202e}...", "csv"), "list.csv");
        assert_eq!(named(&"x".repeat(500), "csv").len(), NAME + 4);
        assert_eq!(disposition("Łódź.csv"), "attachment; filename=\"__d_.csv\"; filename*=UTF-8''%C5%81%C3%B3d%C5%BA.csv");
    }
}
