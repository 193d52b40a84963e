//! TLS 1.2 and 1.3, spoken by the program itself, and certificates that change while it serves.
//!
//! * Every handshake asks for the pair that stands; nothing is restarted for a new one, and connections that are open stay open.
//! * Certificate and key are read together: a pair that does not match, or a file that is half written, changes nothing. What was
//!   there goes on, the log says why, and the next look tries again.
//! * One provider of cryptography (`ring`) in the whole process, installed before anything asks for one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Once, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use x509_cert::der::Decode;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// More than any chain and key are long.
const LARGEST: u64 = 1024 * 1024;

/// Makes `ring` what this process encrypts with. Called again, it does nothing.
pub fn install() {
    static ONCE: Once = Once::new();
    // Where somebody installed one before, that one stays: nothing is wrong with it.
    ONCE.call_once(|| drop(ring::default_provider().install_default()));
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Where a certificate and its key are, in PEM.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, then those that lead to an authority.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

impl Files {
    fn read(&self) -> Result<(Vec<u8>, Vec<u8>), String> {
        Ok((read(&self.certificate, "the certificate")?, read(&self.key, "the key of the certificate")?))
    }

    /// When the certificate is no longer valid, in seconds since 1970; also says whether certificate and key are a pair.
    ///
    /// # Errors
    /// A sentence for the operator, without anything of the key.
    pub fn expires(&self) -> Result<u64, String> {
        let (certificate, key) = self.read()?;
        let pair = pair(&certificate, &key)?;
        let first = pair.cert.first().ok_or("there is no certificate in the file")?;
        let certificate = x509_cert::Certificate::from_der(first).map_err(|_| "the certificate cannot be read".to_owned())?;
        Ok(certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs())
    }
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(|error| format!("{what} cannot be read: {error}"))?;
    opened.take(LARGEST).read_to_end(&mut bytes).map_err(|error| format!("{what} cannot be read: {error}"))?;
    Ok(bytes)
}

/// A certificate with its key, if they belong together.
fn pair(certificate: &[u8], key: &[u8]) -> Result<CertifiedKey, String> {
    let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|_| "the certificate is not PEM".to_owned())?;
    if chain.is_empty() {
        return Err("there is no certificate in the file".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "there is no private key in PEM in the key's file".to_owned())?;
    let provider = provider();
    let pair = CertifiedKey::from_der(chain, key, &provider);
    pair.map_err(|error| format!("certificate and key cannot be used together: {error}"))
}

/// The pair that stands.
#[derive(Debug)]
pub struct Certificates {
    files: Files,
    /// With the bytes it was made of: files are compared by what is in them, since a certificate may be put in place by a link.
    now: RwLock<(Vec<u8>, Vec<u8>, Arc<CertifiedKey>)>,
}

impl Certificates {
    /// Reads the pair that a server starts with.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(files: Files) -> Result<Arc<Self>, String> {
        let (certificate, key) = files.read()?;
        let made = pair(&certificate, &key)?;
        Ok(Arc::new(Self { files, now: RwLock::new((certificate, key, Arc::new(made))) }))
    }

    /// What connections are accepted with. HTTP/2 or HTTP/1.1 is agreed on by ALPN, which whoever listens adds.
    ///
    /// # Errors
    /// A sentence, if the provider has none of the versions: it has both.
    pub fn server(self: &Arc<Self>) -> Result<ServerConfig, String> {
        let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13, &TLS12]);
        let builder = builder.map_err(|error| error.to_string())?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }

    /// Reads the files again. Whether another pair stands now.
    ///
    /// # Errors
    /// A sentence for the operator; the pair that stood still stands.
    pub fn reload(&self) -> Result<bool, String> {
        let (certificate, key) = self.files.read()?;
        {
            let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
            if now.0 == certificate && now.1 == key {
                return Ok(false);
            }
        }
        let made = Arc::new(pair(&certificate, &key)?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = (certificate, key, made);
        Ok(true)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner).2))
    }
}

/// Looks at the files every two seconds, and at once on `SIGHUP`. Runs until it is dropped. Without certificates the signal is still
/// taken, and nothing is read: whoever sends it to all servers alike must not end this one.
///
/// # Errors
/// If the signal cannot be listened to.
pub fn watch(certificates: Option<Arc<Certificates>>) -> std::io::Result<impl Future<Output = ()>> {
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    Ok(async move {
        // The same complaint every two seconds would drown the log.
        let mut complained = String::new();
        loop {
            let asked = tokio::select! {
                _ = hangup.recv() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let Some(certificates) = certificates.clone() else { continue };
            let read = tokio::task::spawn_blocking(move || certificates.reload()).await;
            match read {
                Ok(Ok(true)) => tracing::info!("another certificate is used from now on"),
                Ok(Ok(false)) if asked => tracing::info!("the certificate is the one that was used before"),
                Ok(Ok(false)) => {}
                Ok(Err(why)) if asked || why != complained => {
                    tracing::error!(why, "the certificate stays the one that was used before");
                    complained = why;
                    continue;
                }
                Ok(Err(_)) => continue,
                Err(_) => return,
            }
            complained.clear();
        }
    })
}
