//! A node as a service: what its manager is told, over a socket of the test's own.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

use crate::support::{Ended, Home, Node, PATIENCE};

/// A service manager that listens.
struct Manager {
    socket: UnixDatagram,
    name: String,
}

impl Manager {
    fn at_path(folder: &Path) -> Self {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self::new(socket, path.to_str().unwrap().to_owned())
    }

    fn abstract_one(folder: &Path) -> Self {
        let name = format!("chordal-test{}", folder.display());
        let addr = SocketAddr::from_abstract_name(&name).unwrap();
        Self::new(UnixDatagram::bind_addr(&addr).unwrap(), format!("@{name}"))
    }

    fn new(socket: UnixDatagram, name: String) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, name }
    }

    /// Starts a node that is told of this manager.
    fn node(&self, home: &Home, flags: &[&str]) -> Node {
        let mut args = vec!["node", "127.0.0.1", "0", "--no-menu"];
        args.extend(flags);
        let mut command = home.command(&args);
        command.env("NOTIFY_SOCKET", &self.name);
        Node::start(command)
    }

    /// The next datagram.
    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).expect("the node tells");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Waits until it is told this.
    fn until(&self, words: &str) -> String {
        loop {
            let told = self.next();
            if told.contains(words) {
                return told;
            }
        }
    }

    /// Whether nothing more was told.
    fn is_quiet(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        self.socket.recv(&mut [0; 4096]).is_err()
    }
}

#[test]
fn the_manager_hears_when_a_node_serves_who_is_there_and_when_it_stops() {
    let home = Home::new();
    let manager = Manager::at_path(&home.files());
    let node = manager.node(&home, &[]);
    let ready = manager.next();
    assert!(ready.starts_with("READY=1\nSTATUS="), "{ready}");
    assert!(ready.contains(&node.ring), "{ready}");
    manager.until("STATUS=1 node in the ring;");
    let second = home.node(&["--join", &node.ring]);
    manager.until("STATUS=2 nodes in the ring;");
    second.signal("-STOP");
    manager.until("STATUS=2 nodes in the ring, 1 of them silent;");
    second.signal("-CONT");
    manager.until("STATUS=2 nodes in the ring;");
    node.signal("-TERM");
    manager.until("STOPPING=1\nSTATUS=a pause");
    assert_eq!(node.wait().0, 0);
    assert!(manager.is_quiet());
}

#[test]
fn a_node_that_is_to_join_is_ready_when_it_has_joined() {
    let home = Home::new();
    let first = home.node(&[]);
    let manager = Manager::abstract_one(home.root());
    let second = manager.node(&home, &["--join", &first.ring]);
    assert!(manager.next().starts_with("READY=1\n"));
    manager.until("STATUS=2 nodes in the ring;");
    second.ok(&home, &["leave"]);
    manager.until("STOPPING=1\nSTATUS=left the ring");
    assert_eq!(second.wait().0, 0);
}

#[test]
fn a_node_that_does_not_start_is_never_called_ready() {
    let home = Home::new();
    let first = home.node(&[]);
    let manager = Manager::at_path(&home.files());
    let (ip, port) = first.ring.rsplit_once(':').unwrap();
    let mut command = home.command(&["node", ip, port, "--no-menu"]);
    let ended = Ended::of(
        command
            .env("NOTIFY_SOCKET", &manager.name)
            .output()
            .unwrap(),
    );
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(manager.is_quiet());
}

#[test]
fn a_manager_that_is_not_there_changes_nothing() {
    let home = Home::new();
    for name in [
        "/nowhere/notify",
        "@chordal-nobody-listens",
        "vsock:2:1234",
        "",
    ] {
        let mut command = home.command(&["node", "127.0.0.1", "0", "--no-menu"]);
        let node = Node::start({
            command.env("NOTIFY_SOCKET", name);
            command
        });
        node.ok(&home, &["status"]);
        node.signal("-TERM");
        assert_eq!(node.wait().0, 0);
    }
}
