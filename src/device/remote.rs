//! Devices of other computers, over burn's own protocol: `himix serve` on the one that computes, `--device remote:HOST` on the
//! one that asks.
//!
//! Every operation travels as a message, and what is read back is waited for. A connection is opened once for a process; if it
//! is lost, burn does not open it again.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use burn::remote::{ConnectError, RemoteHost};
use burn::server::{RemoteServer, ServeError, TokenAuthorizer, WebSocketTransport};
use burn::tensor::Device;

use super::{OpenDevice, REMOTE_PORT, answering};

/// The environment variable with the token that a server asks of its clients.
pub const TOKEN: &str = "HIMIX_REMOTE_TOKEN";

/// The time in which a computer that is there accepts a connection.
const KNOCK: Duration = Duration::from_secs(5);
/// The time in which a server answers; it opens its device before it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a server listens: a host and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(&'static str);

/// Returns `text` for the rest of the process. A choice of a device is copied freely, and few addresses are named.
fn kept(text: String) -> &'static str {
    static NAMED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = named.get(text.as_str()) {
        return kept;
    }
    let kept: &'static str = text.leak();
    named.insert(kept);
    kept
}

impl FromStr for Address {
    type Err = String;

    /// Reads `HOST`, `HOST:PORT`, `[IPv6]` or `[IPv6]:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no address of a computer; say remote:HOST or remote:HOST:PORT, an IPv6 address in brackets"
            )
        };
        let (host, port) = match text.rfind(']') {
            Some(end) => (&text[..=end], text[end + 1..].strip_prefix(':')),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let is_name = |host: &str| {
            !host.is_empty() && host.chars().all(|letter| letter.is_alphanumeric() || "-._".contains(letter))
        };
        let is_ipv6 = |host: &str| {
            let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            inside.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok())
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?,
            None if text.len() > host.len() => return Err(wrong()),
            None => REMOTE_PORT,
        };
        if is_name(host) || is_ipv6(host) { Ok(Self(kept(format!("{host}:{port}")))) } else { Err(wrong()) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The token of the environment; `None` if there is none.
fn token() -> Option<String> {
    std::env::var(TOKEN).ok().filter(|token| !token.is_empty())
}

/// Opens the device that `himix serve` serves at `address`, within half a minute.
///
/// # Errors
/// Nothing that can be used answers there; the message says what to do.
pub fn open(address: Address) -> Result<OpenDevice, String> {
    let (out, answer) = channel();
    // A call into the network cannot be ended from outside. A thread that waits for ever is left behind.
    let connect = move || drop(out.send(connect(address)));
    let started = Builder::new().name("himix-connect".into()).spawn(connect);
    started.map_err(|error| format!("no thread could be started: {error}"))?;
    let device = answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        Err(format!(
            "{address} has not answered for {seconds} s; see whether himix serve runs there, and which program has that port"
        ))
    })?;
    let name = format!("remote:{address}");
    Ok(OpenDevice {
        device,
        name,
        is_gpu: true,
        is_software: false,
        is_half: false,
        can_be_half: false,
        notice: None,
    })
}

fn connect(address: Address) -> Result<Device, String> {
    knock(address)?;
    let host = RemoteHost::websocket(&format!("ws://{address}"));
    let host = token().into_iter().fold(host, RemoteHost::with_credential);
    let device = Device::remote_options(&host).init().map_err(|error| refused(address, &error))?;
    answering(device).map_err(|reason| format!("the device of {address} does not compute: {reason}"))
}

/// Looks whether anything listens at an address. burn itself would try for a quarter of a minute, and for minutes where a
/// firewall drops what is sent.
fn knock(address: Address) -> Result<(), String> {
    let found = address.0.to_socket_addrs();
    let found =
        found.map_err(|error| format!("{address}: this computer is not known ({error}); check its name"))?;
    let mut reason = "the name has no address".to_owned();
    for place in found {
        match TcpStream::connect_timeout(&place, KNOCK) {
            Ok(_) => return Ok(()),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(format!(
        "nothing answers at {address} ({reason}); start himix serve there (it listens on its own computer only unless --listen \
         says otherwise), or open the tunnel to it"
    ))
}

fn refused(address: Address, error: &ConnectError) -> String {
    match error {
        ConnectError::Unauthorized => {
            format!("{address} asks for a token; set {TOKEN} to the one with which its himix serve was started")
        }
        ConnectError::IncompatibleProtocol { client_version, server_version } => format!(
            "{address} speaks version {server_version} of the protocol and this program version {client_version}; install the \
             same version of himix on both computers"
        ),
        error => format!("what answers at {address} is no himix serve of this version ({error})"),
    }
}

/// The words for a connection that was lost; `None` if `reason` tells of something else.
pub fn lost(reason: &str) -> Option<&'static str> {
    // burn has no error for this: an answer that does not come is that of a closed channel.
    let is_lost = ["Failed to read tensor: RecvError", "Remote response channel closed", "Service call failed"]
        .iter()
        .any(|words| reason.contains(words));
    is_lost.then_some(
        "the connection to himix serve was lost, or the device failed there; see what it says, and start this program again",
    )
}

/// A server that listens, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    device: OpenDevice,
    token: Option<String>,
}

impl Server {
    /// Listens at `listen` for clients of `device`. The token is that of the environment.
    ///
    /// # Errors
    /// Nobody can listen at this address; the message says what to do.
    pub fn bind(device: OpenDevice, listen: SocketAddr) -> Result<Self, String> {
        let listener = TcpListener::bind(listen).map_err(|error| {
            format!("{listen}: this address cannot be served ({error}); choose another with --listen")
        })?;
        Ok(Self { listener, device, token: token() })
    }

    /// The address at which it listens.
    ///
    /// # Errors
    /// The message of the system.
    pub fn address(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|error| error.to_string())
    }

    /// Whether clients have to know a token.
    pub fn asks_for_token(&self) -> bool {
        self.token.is_some()
    }

    /// Serves until the process is interrupted or told to end.
    ///
    /// # Errors
    /// The server failed; the message is for the user.
    pub fn serve(self) -> Result<(), String> {
        let mut server = RemoteServer::new([self.device.device]);
        if let Some(token) = self.token {
            server = server.with_authorizer(TokenAuthorizer::new(token).map_err(|error| error.to_string())?);
        }
        server
            .serve(WebSocketTransport::from_listener(self.listener))
            .map_err(|error: ServeError| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_or_without_a_port() {
        let read = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        for (text, expected) in [
            ("gpu5", "gpu5:7316"),
            ("gpu5:80", "gpu5:80"),
            ("10.0.0.7", "10.0.0.7:7316"),
            ("[::1]", "[::1]:7316"),
            ("[::1]:80", "[::1]:80"),
            ("a-b.example.org:65535", "a-b.example.org:65535"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            ":80",
            "gpu5:",
            "gpu5:0",
            "gpu5:65536",
            "gpu5:x",
            "::1",
            "[::1",
            "[::1]80",
            "[x]:80",
            "a b",
            "a/b",
            "u@h",
        ] {
            assert!(read(text).is_err_and(|error| error.contains("remote:HOST:PORT")), "{text}");
        }
        let twice = ["gpu5", "gpu5:7316"].map(|text| text.parse::<Address>().expect("an address"));
        assert!(std::ptr::eq(twice[0].0, twice[1].0), "an address is kept once");
    }

    #[test]
    fn a_lost_connection_is_told_from_other_failures() {
        for reason in [
            "An error happened during execution\nCaused by:\n  Remote response channel closed before sync completed",
            "Failed to read tensor: RecvError(())",
        ] {
            assert!(
                crate::device::reason(reason).starts_with("the connection to himix serve was lost"),
                "{reason}"
            );
        }
        assert_eq!(crate::device::reason("Out of Memory"), "Out of Memory");
    }

    #[test]
    fn a_computer_that_does_not_answer_is_named_at_once() {
        // A port that was just free.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
        let address: Address = free.to_string().parse().expect("an address");
        let error = open(address).expect_err("nobody listens");
        assert!(error.contains(&free.to_string()) && error.contains("himix serve"), "{error}");
    }

    #[test]
    fn a_program_of_another_kind_is_told_from_a_server() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address: Address =
            listener.local_addr().expect("its address").to_string().parse().expect("an address");
        // It hangs up on everyone.
        let _ = std::thread::spawn(move || listener.incoming().for_each(drop));
        let error = open(address).expect_err("it is no server");
        assert!(error.contains("no himix serve of this version"), "{error}");
    }
}
