//! Requests of a trace, and what a caller remembers from one to the next: cursors, ETags, ids.

use std::time::Duration;

use reqwest::Method;
use url::form_urlencoded;

use crate::compare::{Answer, Names};
use crate::world::{World, brief_token, narrow_token, steward_token, stranger_token, token};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The recipient's program.
    Recipient,
    /// Somebody without a token.
    Nobody,
    /// Somebody with a token that was never given out.
    Forger,
    /// A program of another co-op, which may read as much as the recipient's.
    Stranger,
    /// Another program of the recipient's, which may read organizations and nothing else.
    Narrow,
    /// Another program of the recipient's, whose token works for an hour.
    Brief,
    /// The recipient's steward.
    Steward,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum What {
    /// This path, with these parameters.
    Path(String, Vec<(String, String)>),
    /// An earlier request again, with the cursor of its answer.
    Next(usize),
    /// An earlier request again, with the ETag of its answer.
    Again(usize),
    /// The record with an id from an earlier answer.
    Seen { collection: String, nth: usize, query: Vec<(String, String)> },
    /// The record with this key (an empty one: the first) of a list, which the caller may not know exists.
    Hidden { collection: String, list: usize, key: String },
    /// The ledger's entry about an earlier answer.
    Disclosure(usize),
    /// This path, with these parameters, about a record.
    About { path: String, query: Vec<(String, String)>, record: About },
}

/// Which record is asked about.
#[derive(Clone, Debug)]
pub enum About {
    /// None.
    None,
    /// One with an id from an earlier answer.
    Seen(usize),
    /// The one with this key of a list, by an id that the caller was never told.
    Hidden(usize, String),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub who: Who,
    pub method: &'static str,
    pub accept: Option<&'static str>,
    pub what: What,
}

impl Ask {
    /// The recipient reads `address`, which is a path with its query.
    pub fn get(address: &str) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { who: Who::Recipient, method: "GET", accept: None, what: What::Path(path.to_owned(), query) }
    }

    pub fn by(self, who: Who) -> Self {
        Self { who, ..self }
    }

    pub fn accept(self, accept: &'static str) -> Self {
        Self { accept: Some(accept), ..self }
    }

    pub fn of(what: What) -> Self {
        Self { what, ..Self::get("") }
    }
}

#[derive(Clone)]
struct Asked {
    ask: Ask,
    next: Option<String>,
    etag: Option<String>,
}

/// A caller of one commons, with everything it was ever told.
#[derive(Default)]
pub struct Memory {
    names: Names,
    asked: Vec<Asked>,
}

impl Memory {
    /// Sends a request. Nothing if it goes back to something that there was not; the twin has no more of it then.
    pub fn send(&mut self, world: &World, ask: &Ask, word: Option<&str>, counting: bool) -> Option<Answer> {
        let (plain, etag) = self.resolved(world, ask)?;
        let answer = self.answer(world, &plain, etag.as_deref(), word, counting);
        // A cursor leads on from where it led to, so the next page has the same request but for the cursor.
        self.asked.push(Asked { ask: plain, next: answer.next.clone(), etag: answer.etag.clone() });
        Some(answer)
    }

    fn resolved(&self, world: &World, ask: &Ask) -> Option<(Ask, Option<String>)> {
        let path = |path: String, query: &[(String, String)]| Ask { what: What::Path(path, query.to_vec()), ..ask.clone() };
        Some(match &ask.what {
            What::Path(..) => (ask.clone(), None),
            What::Next(nth) => {
                let earlier = nth_of(&self.asked, *nth, |asked| asked.next.is_some())?;
                let Ask { what: What::Path(path, mut query), .. } = earlier.ask.clone() else { return None };
                query.retain(|(name, _)| name != "cursor");
                query.push(("cursor".to_owned(), earlier.next.clone()?));
                (Ask { what: What::Path(path, query), ..earlier.ask }, None)
            }
            What::Again(nth) => {
                let earlier = nth_of(&self.asked, *nth, |asked| asked.etag.is_some())?;
                (earlier.ask, earlier.etag)
            }
            What::Seen { collection, nth, query } => {
                (path(format!("/api/v1/{collection}/{}", self.names.pick("rec_", *nth)?), query), None)
            }
            What::Hidden { collection, list, key } => {
                (path(format!("/api/v1/{collection}/{}", world.original_id(*list, key)?), &[]), None)
            }
            What::About { path: address, query, record } => {
                let id = match record {
                    About::None => None,
                    About::Seen(nth) => Some(self.names.pick("rec_", *nth)?.to_owned()),
                    // One that is not there in one of the worlds: any id that nothing has.
                    About::Hidden(list, key) => {
                        Some(world.original_id(*list, key).unwrap_or_else(|| "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()))
                    }
                };
                let mut query = query.clone();
                query.extend(id.map(|id| ("record".to_owned(), id)));
                (path(address.clone(), &query), None)
            }
            What::Disclosure(nth) => (path(format!("/api/v1/disclosures/{}", self.names.pick("dis_", *nth)?), &[]), None),
        })
    }

    fn answer(&mut self, world: &World, ask: &Ask, etag: Option<&str>, word: Option<&str>, counting: bool) -> Answer {
        let What::Path(path, query) = &ask.what else { unreachable!("a request has an address by now") };
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let address = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
        for _ in 0..20 {
            let token = match ask.who {
                Who::Recipient => Some(token()),
                Who::Nobody => None,
                Who::Forger => Some("hwt_never-given-out"),
                Who::Stranger => Some(stranger_token()),
                Who::Narrow => Some(narrow_token()),
                Who::Brief => Some(brief_token()),
                Who::Steward => Some(steward_token()),
            };
            let method = Method::from_bytes(ask.method.as_bytes()).unwrap();
            let mut request = world.server().request(method, &address, token);
            if let Some(accept) = ask.accept {
                request = request.header("accept", accept);
            }
            if let Some(etag) = etag {
                request = request.header("if-none-match", etag);
            }
            if counting {
                world.server().store().watch_work();
            }
            let response = request.send().unwrap();
            // A machine that is too busy to read within the window of a revocation says so, and is asked again.
            if response.status() != 503 {
                return self.names.read(response, word);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        unreachable!("the server is unavailable for seconds")
    }
}

fn nth_of(asked: &[Asked], nth: usize, fits: impl Fn(&Asked) -> bool) -> Option<Asked> {
    let some: Vec<&Asked> = asked.iter().filter(|asked| fits(asked)).collect();
    some.get(nth.checked_rem(some.len())?).map(|asked| (*asked).clone())
}
