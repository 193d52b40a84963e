//! How a server is reached: the arguments of `hayward serve` that say so.

use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;

use crate::edge::Reach;
use crate::edge::origin::{Proxies, ProxyHeader};
use crate::tls;

#[derive(Args, Clone)]
pub(super) struct ReachArgs {
    #[command(flatten)]
    certificate: CertificateArgs,
    /// Answer plain HTTP at an address that other machines can reach: only where something in between speaks TLS.
    #[arg(long, env = "HAYWARD_ALLOW_PLAIN_HTTP")]
    allow_plain_http: bool,
    /// A network of reverse proxies that say for whom they speak, such as 10.0.0.0/8; may be repeated, or written with commas.
    #[arg(long, env = "HAYWARD_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    trusted_proxies: Vec<IpNet>,
    /// The one header that these proxies write; its last address is believed, and no other header is read.
    #[arg(long, env = "HAYWARD_PROXY_HEADER", value_enum, default_value_t)]
    proxy_header: ProxyHeader,
    /// Where people reach this commons, such as `https://commons.example`.
    #[arg(long, env = "HAYWARD_PUBLIC_URL")]
    public_url: Option<String>,
}

/// The certificate, for whoever serves or looks at it.
#[derive(Args, Clone)]
pub struct CertificateArgs {
    /// A certificate in PEM, followed by those that lead to an authority. Read again when it changes, and on SIGHUP.
    #[arg(long, env = "HAYWARD_TLS_CERTIFICATE", value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, in PEM.
    #[arg(long, env = "HAYWARD_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

impl CertificateArgs {
    /// Where both are, or nothing.
    ///
    /// # Errors
    /// If only one is named.
    pub fn files(&self) -> Result<Option<tls::Files>, String> {
        // A variable that is set to nothing names nothing.
        let named = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        match (named(&self.tls_certificate), named(&self.tls_key)) {
            (Some(certificate), Some(key)) => Ok(Some(tls::Files { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err("a certificate needs its key: name it with --tls-key".to_owned()),
            (None, Some(_)) => Err("a key needs its certificate: name it with --tls-certificate".to_owned()),
        }
    }
}

impl ReachArgs {
    pub(super) fn reach(&self) -> Result<Reach, String> {
        Ok(Reach {
            tls: self.certificate.files()?,
            plain_http: self.allow_plain_http,
            proxies: Proxies { trusted: self.trusted_proxies.clone(), header: self.proxy_header },
            public_url: self.public_url.as_deref().filter(|url| !url.is_empty()).map(public_url).transpose()?,
            ..Reach::default()
        })
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let one = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(one).ok_or_else(|| "a network is written like 10.0.0.0/8 or 2001:db8::/32".to_owned())
}

/// An address without a path, as links begin with it.
fn public_url(text: &str) -> Result<String, String> {
    let bad = || format!("`{text}` is no address to reach a commons at; it looks like https://commons.example");
    let url = url::Url::parse(text).map_err(|_| bad())?;
    let is_plain = matches!(url.scheme(), "https" | "http") && url.path() == "/" && url.query().is_none();
    if !is_plain || url.fragment().is_some() || !url.username().is_empty() || url.host().is_none() {
        return Err(bad());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
