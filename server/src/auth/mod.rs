//! Who is calling, and how they prove it.

pub mod bearer;
pub mod password;
pub mod secret;
