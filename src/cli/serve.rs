//! `himix serve`: computes for himix on other computers.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use himix::device::{self, DeviceChoice};

use super::Failure;
use super::arguments::DeviceArguments;

const NOTES: &str = "\
Examples:
  himix serve                                   for this computer's programs and tunnels
  himix serve --listen 0.0.0.0 --device gpu:1   for a network that can be trusted

  ssh -N -L 7316:localhost:7316 gpu5            the tunnel, on the computer that asks
  himix predict --device remote:localhost …     a prediction through it
  himix predict --device remote:gpu5 …          a prediction over a trusted network

The protocol has no encryption, and whoever reaches the address can compute here: it belongs on a \
trusted network or in an ssh tunnel. HIMIX_REMOTE_TOKEN, the same text in the environment of both \
programs, keeps programs away that do not know it, but nobody who reads the traffic. Weights, \
images, prompts and masks pass through the connection.

Both programs need the same version. Every operation of the network is a message, so that a \
prediction takes longer than on the same device without a network between; it pays where this \
computer has a graphics card and the other one has none. The server ends with Ctrl+C.";

/// Compute for himix on other computers, which ask with --device remote:HOST
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub struct ServeArguments {
    /// Address at which to listen, with or without a port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address)]
    listen: SocketAddr,
    #[command(flatten)]
    device: DeviceArguments,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let alone = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let with_port =
        || text.parse().map_err(|_| "say an IP address, for example 127.0.0.1 or 0.0.0.0:7316".to_owned());
    alone.map_or_else(|_| with_port(), |address| Ok(SocketAddr::new(address, device::REMOTE_PORT)))
}

/// Runs the command until it is interrupted.
pub fn run(arguments: &ServeArguments) -> Result<(), Failure> {
    serve(arguments.listen, arguments.device.choice()?)
}

#[cfg(not(feature = "remote"))]
fn serve(_: SocketAddr, _: DeviceChoice) -> Result<(), Failure> {
    Err(Failure::input(device::WITHOUT_REMOTE))
}

#[cfg(feature = "remote")]
fn serve(listen: SocketAddr, choice: DeviceChoice) -> Result<(), Failure> {
    use himix::device::remote::Server;

    use super::terminal;

    if let DeviceChoice::Remote(address) = choice {
        return Err(Failure::input(format!(
            "the device of {address} is served there already; give a device of this computer"
        )));
    }
    let busy = terminal::busy("opening the device");
    let device = device::open(choice);
    drop(busy);
    device.notice.iter().for_each(terminal::note);
    let name = device.name.clone();
    let server = Server::bind(device, listen).map_err(Failure::work)?;
    let address = server.address().map_err(Failure::work)?;
    if !address.ip().is_loopback() {
        terminal::note(match server.asks_for_token() {
            true => "what passes through the connection can be read on the network; the token does not encrypt it",
            false => {
                "everyone who reaches this address can compute here and read what passes through the connection"
            }
        });
    }
    terminal::print(&format!("serving {name} at {address} until Ctrl+C"))?;
    server.serve().map_err(Failure::work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_usual_port_unless_it_names_one() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1:7316"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("::1", "[::1]:7316"),
            ("[::1]", "[::1]:7316"),
            ("[::]:80", "[::]:80"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()).as_deref(), Ok(expected));
        }
        assert!(address("gpu5").is_err() && address("127.0.0.1:x").is_err() && address("").is_err());
    }
}
