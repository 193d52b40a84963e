//! What a browser or a program is called in the list of sessions: words of ours, never the caller's.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;

/// What stands for a program, the most telling first: many name others, too.
const PROGRAMS: [(&str, &str); 9] = [
    ("Firefox/", "Firefox"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
    ("node", "Node.js"),
    ("hayward", "hayward"),
];

/// The same for systems.
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

fn first(text: &str, known: &[(&str, &'static str)]) -> Option<&'static str> {
    known.iter().find(|(mark, _)| text.contains(mark)).map(|(_, word)| *word)
}

/// Says in a few words what asked.
#[must_use]
pub fn words(request: &HttpRequest) -> String {
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match (first(agent, &PROGRAMS), first(agent, &SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("a program on {system}"),
        (None, None) => "a program".to_owned(),
    }
}
