//! Every kind of problem that an answer can name, with its status and what to do about it.
//!
//! The `type` of a problem is `/problems/{code}`, and resolves to the page that this table makes.

use actix_web::http::StatusCode;

/// One kind of problem: code, status, title, what to do.
type Kind = (&'static str, u16, &'static str, &'static str);

const KINDS: &[Kind] = &[
    (
        "unauthenticated",
        401,
        "Sign in first",
        "Send `Authorization: Bearer …` with a token that has neither expired nor been revoked.",
    ),
    (
        "invalid-credentials",
        401,
        "These credentials open nothing",
        "Check the address and the password, and the code if you use one.",
    ),
    ("code-needed", 401, "A code is needed, too", "Send the code that your app shows, or one of your recovery codes, as `code`."),
    (
        "too-many-attempts",
        429,
        "Too many attempts",
        "Wait as many seconds as `Retry-After` says. Whoever is signed in already stays so.",
    ),
    ("insufficient-scope", 403, "The token lacks a scope", "Ask for a token with the scope that the answer names."),
    ("not-found", 404, "Nothing here", "Check the address. What you may not see is answered like what does not exist."),
    ("method-not-allowed", 405, "This address does not do that", "Look the call up in the API's description."),
    ("not-acceptable", 406, "No such format", "Ask for a media type that the answer names."),
    ("gone", 410, "No longer kept", "This cursor is too old. Read everything anew, from the beginning."),
    ("file-gone", 410, "The file is no longer kept", "Upload it again: what is in the list already changes nothing."),
    ("set-up-done", 410, "Set up already", "Sign in, or ask an operator for an account."),
    ("payload-too-large", 413, "Too large", "Send less, or ask the operator about the limit."),
    ("head-too-large", 431, "Too much in the head", "Send fewer or shorter headers: all of them together may have 32 KiB."),
    (
        "body-too-slow",
        408,
        "The body took too long",
        "Send it faster: after 30 seconds, 10 KiB have to arrive every second on the average.",
    ),
    (
        "rate-limited",
        429,
        "Too many requests",
        "Wait as many seconds as `Retry-After` says. `RateLimit-Policy` says how often you may ask; the operator can allow more.",
    ),
    ("too-slow", 503, "Not in time", "Ask for less at a time, or for text/csv or application/x-ndjson, which begin at once."),
    ("overloaded", 503, "Too much to do", "Try again in a moment."),
    ("unsupported-media-type", 415, "A format that is not read here", "Send the body as the call's description says."),
    (
        "unknown-parameter",
        400,
        "Unknown parameter",
        "No parameter of this call, and no field that is open to you, has this name.",
    ),
    ("unknown-field", 400, "Unknown field", "No field that is open to you has this name."),
    ("unknown-operator", 400, "Unknown operator", "Filters know eq, in, gt, gte, lt, lte, prefix and null."),
    ("invalid-parameter", 400, "A parameter that cannot be read", "Look up what the parameter takes."),
    (
        "invalid-cursor",
        400,
        "Not a cursor of this request",
        "Use `next` of the page before, with the same filters and the same client.",
    ),
    ("too-broad", 400, "Too many rows", "Narrow the request: a filter or a sort looks at 100,000 visible rows at most."),
    (
        "too-large-for-xlsx",
        400,
        "Too large for a workbook",
        "Ask for text/csv, which has no limits, or for fewer rows with `limit`.",
    ),
    ("invalid-json", 400, "Not JSON", "The body must be one JSON document in UTF-8, with finite numbers and without U+0000."),
    ("invalid-body", 400, "Not what this call takes", "Look up the body in the API's description."),
    ("bad-name", 400, "A name that cannot be", "See the detail."),
    ("bad-slug", 400, "A short name that cannot be", "See the detail."),
    ("bad-email", 400, "Not an e-mail address", "See the detail."),
    ("bad-password", 400, "A password that cannot be", "See the detail."),
    ("unknown-schema", 400, "Unknown schema", "GET /api/v1/schemas lists the schemas of this commons."),
    ("unknown-organization", 400, "Unknown organization", "The audience must name a member co-op of this commons."),
    ("unknown-rule", 400, "Unknown approval rule", "An approval rule is `1`, `2` or `all`."),
    ("invalid-terms", 422, "Terms that cannot be", "Each error points at the part of the terms that it is about."),
    ("invalid-record", 422, "A record that cannot be", "Each error points at the field that it is about."),
    ("key-taken", 409, "There is such a record", "Change the record that has this key, or choose another key."),
    (
        "erased-on-request",
        409,
        "Not added again",
        "This record was erased at the request of the person in it. A steward can lift that, if the person wants to be in the list again.",
    ),
    ("precondition-required", 428, "Which state is meant?", "Read the record, and send its `ETag` as `If-Match`."),
    ("precondition-failed", 412, "Not the state that was meant", "Read the record again, and decide anew."),
    (
        "invalid-idempotency-key",
        400,
        "Not a key",
        "Send `Idempotency-Key` once: a string in double quotes of 1 to 255 printable ASCII characters, such as a random UUID.",
    ),
    ("in-flight", 409, "Under way", "The first request with this key is not answered yet. Send it again in a moment."),
    ("key-reused", 422, "Another request had this key", "Take a new key for a new request; repeat a request as it was."),
    (
        "outcome-unknown",
        409,
        "Nobody knows what came of it",
        "The server ended before it had answered. Look whether it was done; if not, send it again with a new key.",
    ),
    (
        "answer-forgotten",
        409,
        "Done, and no longer told",
        "This was done. What was answered is not kept any more; read what you need.",
    ),
    ("invalid-matching", 422, "A matching that cannot be", "Each error points at the column that it is about."),
    ("invalid-reading", 422, "The file cannot be read so", "See the errors; the file stays as it was read before."),
    ("undecided-columns", 422, "Columns without a decision", "Give every column a field, keep it private, or leave it out."),
    ("reason-missing", 422, "A reason is needed", "Say in a sentence why; the other side reads it."),
    (
        "decision-missing",
        422,
        "A decision is needed",
        "This shows special data. Give as `reason` what your board decided, and when; only your own side reads it.",
    ),
    ("empty-reason", 422, "A reason is needed", "Say in a sentence why."),
    ("busy", 409, "Being written", "Something else is writing this list. Try again in a moment."),
    ("stale", 409, "Overtaken", "Something has changed since you looked. Look again, then decide."),
    (
        "edited-since",
        409,
        "Some records have changed since",
        "GET the same address with `outcome=kept` lists them. They stay as they are; send `{\"kept\": n}` with their number to go on.",
    ),
    ("last-owner", 409, "The last owner", "Make somebody else an owner first."),
    ("other-address", 409, "Somebody else's invitation", "Sign in with the address that was invited."),
    ("second-step-on", 409, "Codes are asked for already", "Turn that off first, with your password and a code."),
    ("exists", 409, "Already there", "Choose another name."),
    (
        "many-removals",
        409,
        "Much of the list would go",
        "Look at the difference. If it is right, commit again with `removals`, the number of records that may go.",
    ),
    ("owners-only", 409, "An owner's to say", "Ask an owner of the member co-op."),
    (
        "left-already",
        409,
        "Gone already",
        "This member co-op has left the commons. Its people can still take along what is theirs.",
    ),
    ("not-confirmed", 409, "Not confirmed", "Write out the short name, or the id, of the member co-op that leaves: your own."),
    ("cancelled", 409, "Given up", "Somebody gave this import up. Upload the file again to go on."),
    ("too-old", 409, "No longer kept", "What this import replaced is pruned, and cannot be shown or brought back."),
    ("file-changed", 409, "Another file", "The file is not the one that was read first. Upload it again."),
    ("wrong-state", 409, "Not in this state", "Look at the state first."),
    ("already-over", 409, "The last day has passed", "Choose a later last day."),
    ("agreement-over", 409, "This agreement is over", "Propose a new one."),
    ("other-agreement", 409, "Another dataset or audience", "Propose a new agreement."),
    ("first-version", 400, "Nothing to compare with", "This is the first version: name another one with `from`."),
    ("other-ids", 409, "Another kind of record ids", "Propose a new agreement."),
    ("not-a-party", 409, "Not a party", "Offer a list of your own, or ask for your own organization."),
    ("secret-destroyed", 409, "Closed for good", "The agreement was certified as over; what it named can no longer be told."),
    ("conflict-of-interest", 409, "A conflict of interest", "Let another steward decide."),
    (
        "recused",
        409,
        "You declared a conflict of interest",
        "Let another steward decide. It cannot be taken back on this agreement.",
    ),
    (
        "would-loosen",
        409,
        "Rules are only tightened here",
        "Ask the operator to loosen a rule: it is written down as the operator's act. `2` and `all` do not stand in for each other.",
    ),
    ("schema-backwards", 409, "Not back", "A list goes on to later versions of its schema only."),
    (
        "schema-changed",
        409,
        "From before another version of the schema",
        "Put back by hand, or by a file, what is to be put back.",
    ),
    ("key-changed", 409, "Another key", "Make a new list: that version tells records apart by other fields."),
    (
        "more-than-yours",
        409,
        "More than you may do",
        "Ask somebody who may do all that the program is to do, such as an owner, or ask for fewer scopes.",
    ),
    ("people-only", 409, "For people only", "A person with a role in the organization must do this."),
    ("unavailable", 503, "Not now", "Try again in a moment."),
    ("ledger-unavailable", 503, "The ledger cannot be written", "Nothing is disclosed without its entry. Try again in a moment."),
    (
        "journal-unavailable",
        503,
        "Done, but not safe against a restore",
        "The change stands. Tell the operator that the journal cannot be written: once it can, it is written down too.",
    ),
    ("internal", 500, "Our mistake", "Tell the operator the request id."),
];

fn find(code: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|(known, ..)| *known == code)
}

/// The status of a problem. One that is not in the table is a state that does not admit the step: `409`.
#[must_use]
pub fn status(code: &str) -> StatusCode {
    find(code).and_then(|(_, status, ..)| StatusCode::from_u16(*status).ok()).unwrap_or(StatusCode::CONFLICT)
}

/// Its title.
#[must_use]
pub fn title(code: &str) -> &'static str {
    find(code).map_or("Not possible now", |(_, _, title, _)| title)
}

/// The page behind a problem's `type`, as plain text.
#[must_use]
pub fn page(code: &str) -> Option<String> {
    let plain = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !code.is_empty();
    if let Some((code, status, title, fix)) = find(code) {
        return Some(format!("{title}\n\n{fix}\n\nproblem: {code}\nstatus: {status}\n"));
    }
    hayward_domain::agreement::Refusal::ALL
        .iter()
        .find(|refusal| plain && refusal.code() == code)
        .map(|refusal| format!("Not possible now\n\n{refusal}\n\nproblem: {code}\nstatus: 409\n"))
}
