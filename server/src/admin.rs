//! Under construction.
#[derive(clap::Subcommand)]
/// x
pub enum AdminCommand {}
/// x
pub fn run(
    _: &std::sync::Arc<hayward_store::Store>,
    _: AdminCommand,
    _: bool,
    _: &mut impl std::io::Write,
) -> Result<(), String> {
    Ok(())
}
