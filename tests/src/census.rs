//! What the proofs about recipients have to walk.

/// Every route that shows data of other organizations. The canary sweep and the twin worlds walk each of them; the route census
/// fails where this list and the server's own table differ.
pub const RECIPIENT_ROUTES: &[&str] = &["/api/v1/changes", "/api/v1/{collection}", "/api/v1/{collection}/{id}"];
