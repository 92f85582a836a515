//! An API server that answers, but late.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use charm_world::World;
use expect_test::expect;

use super::support::{APPLICATION, BOTH_PATHS, deployed, without_numbers};

/// How long each request is on its way to the server.
const DELAY: Duration = Duration::from_secs(3);

/// Something that arrived, with the time at which it is passed on.
type Late = (Instant, Vec<u8>);

/// The file with which the charm finds the API server.
fn kubeconfig(world: &World) -> String {
    let folder = world.model.directory().join("kubeconfigs");
    folder.join(APPLICATION).display().to_string()
}

/// Another such file, with a long way to the server: what the charm sends arrives later.
///
/// Each request on an open connection takes that much longer, and the first one twice as much, as
/// the handshake is late too.
fn put_far_away(world: &World) -> Result<String> {
    let near = fs::read_to_string(kubeconfig(world))?;
    let mut words = near.split_whitespace();
    let server = words.find_map(|it| it.strip_prefix("https://"));
    let server: SocketAddr = server.context("no server")?.parse()?;
    // The same address, which the server's certificate is for.
    let listener = TcpListener::bind((server.ip(), 0))?;
    let entrance = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Where the server is gone, the connection just ends.
            let _ = TcpStream::connect(server).and_then(|server| join(&client, &server));
        }
    });
    let far = world.model.directory().join("far-away");
    fs::write(
        &far,
        near.replace(&server.to_string(), &entrance.to_string()),
    )?;
    Ok(far.display().to_string())
}

/// Passes on what is sent either way: late to the server, at once from it.
fn join(client: &TcpStream, server: &TcpStream) -> std::io::Result<()> {
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (late, due) = channel();
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || take(from_client, &late));
    thread::spawn(move || pass_on(to_server, &due));
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn take(mut from: TcpStream, late: &Sender<Late>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let arrived = buffer[..read].to_vec();
        if late.send((Instant::now() + DELAY, arrived)).is_err() {
            return;
        }
    }
}

fn pass_on(mut to: TcpStream, due: &Receiver<Late>) {
    for (at, bytes) in due {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// How long the longest of the hooks took that have run since there were `before`.
fn longest_hook(world: &World, before: usize) -> Duration {
    let dispatches = &world.model.dispatches()[before..];
    dispatches.iter().map(|it| it.duration).max().unwrap()
}

#[test]
fn no_hook_outlasts_its_bound_on_a_slow_server() -> Result<()> {
    let mut world = deployed()?;
    let near = kubeconfig(&world);
    let far = put_far_away(&world)?;

    let bound = Duration::from_secs(40);
    world.set_rollout_timeout(40);
    world.model.set_variable("KUBECONFIG", &far);
    let before = world.model.dispatches().len();
    let shown = world.configure(&BOTH_PATHS)?;
    expect!["waiting: no Kubernetes API: it answers too slowly: … s were not enough"]
        .assert_eq(&without_numbers(&shown));
    let took = longest_hook(&world, before);
    assert!(took <= bound + 2 * DELAY, "{took:?}");

    // What has been done meanwhile is not done in vain.
    world.model.set_variable("KUBECONFIG", &near);
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.update_status()?);

    // A removal has a minute, whatever the bound of other hooks.
    world.set_rollout_timeout(600);
    world.model.set_variable("KUBECONFIG", &far);
    let before = world.model.dispatches().len();
    world.remove()?;
    let took = longest_hook(&world, before);
    assert!(took <= Duration::from_secs(75), "{took:?}");
    let log = world.logged("WARNING");
    // The log ends with the command that removes the rest.
    let (_, command) = log.rsplit_once("to remove the rest: kubectl ").unwrap();
    world.kubectl(command)?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects());
    Ok(())
}
