//! Who is calling, and how they prove it.

pub mod bearer;
pub mod network;
pub mod password;
pub mod program;
pub mod secret;
pub mod sign_in;
pub mod throttle;
