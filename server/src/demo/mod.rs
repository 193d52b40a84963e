//! Under construction.
/// x
pub fn keyring(seed: u64) -> hayward_store::Keyring {
    hayward_store::Keyring::from_random(&[seed as u8; 128])
}
/// x
pub fn seed(_: &std::sync::Arc<hayward_store::Store>, _: u64) -> Result<serde_json::Value, String> {
    Ok(serde_json::json!({}))
}
