//! A way to the API server where the bytes are counted that it sends.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result};

/// Passes on connections until this process ends.
pub(super) struct Relay {
    port: u16,
    received: Arc<AtomicU64>,
}

impl Relay {
    /// A relay to a server, such as `https://127.0.2.1:40123`. What is encrypted stays so.
    pub(super) fn to(server: &str) -> Result<Self> {
        let address = server.strip_prefix("https://");
        let address = address.context("the API server does not speak HTTPS")?;
        let address = address.to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let received = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&received);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client whose connection is not passed on sees it closed.
                if let Ok(server) = TcpStream::connect(&address) {
                    let _ = pass_on(client, server, Arc::clone(&counter));
                }
            }
        });
        Ok(Self { port, received })
    }

    /// The address to ask instead of the server's.
    pub(super) fn server(&self) -> String {
        format!("https://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// How many bytes the server has sent so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }
}

/// Passes on what both sides of a connection send.
fn pass_on(client: TcpStream, server: TcpStream, received: Arc<AtomicU64>) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_too, server_too) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(server, client, &received));
    thread::spawn(move || copy(client_too, server_too, &AtomicU64::new(0)));
    Ok(())
}

/// Copies until one side ends, and counts.
fn copy(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        count.fetch_add(length as u64, Ordering::SeqCst);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other direction ends too; it may have ended before.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
