//! `hayward ready`: asks the server that runs here whether it can answer.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use reqwest::blocking::Client;

use super::{CertificateArgs, Done};
use crate::tls;

/// The arguments of `hayward ready`.
#[derive(Args)]
pub(super) struct Ready {
    /// Where the server listens.
    #[arg(long, env = "HAYWARD_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    certificate: CertificateArgs,
}

/// 0: it can. 1: it answers, and cannot. 2: nothing answers.
pub(super) fn ask(ready: &Ready) -> Done {
    let mut address = ready.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let silent = |error: reqwest::Error| format!("nothing answers at {address}: {}", error.without_url());
    let scheme = if ready.certificate.files()?.is_some() { "https" } else { "http" };
    tls::install();
    // The certificate names the commons, not this address. Nothing is said here that others may not hear.
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).tls_danger_accept_invalid_certs(true);
    let answer = client.build().and_then(|client| client.get(format!("{scheme}://{address}/readyz")).send()).map_err(silent)?;
    Ok(if answer.status().as_u16() == 200 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
