//! `hayward ready`: asks the server that runs here whether it can answer.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::Done;

/// The arguments of `hayward ready`.
#[derive(Args)]
pub(super) struct Ready {
    /// Where the server listens.
    #[arg(long, env = "HAYWARD_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// 0: it can. 1: it answers, and cannot. 2: nothing answers.
pub(super) fn ask(ready: &Ready) -> Done {
    const PATIENCE: Duration = Duration::from_secs(5);
    let mut address = ready.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let silent = |error: std::io::Error| format!("nothing answers at {address}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(silent)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(silent)?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(silent)?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).map_err(silent)?;
    Ok(if head == *b"HTTP/1.1 200" { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
