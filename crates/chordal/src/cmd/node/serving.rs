//! A node with its control API and its word in the home: started together, stopped together.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chordal_node::{Announcement, ConnectError, Node, NodeConfig, StartError};
use chordal_web::Server;

use crate::client::Client;
use crate::trouble::{Exit, Trouble};

/// How long work under way may take when the node stops.
const GRACE: Duration = Duration::from_secs(5);

/// A stop takes no longer than this, whatever hangs.
const STOP_MAX: Duration = Duration::from_millis(9500);

/// A node that serves.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) node: Node,
    server: Server,
    announcement: Announcement,
}

impl Serving {
    /// Starts everything, or nothing.
    pub(crate) async fn start(
        config: &NodeConfig,
        http: Option<SocketAddr>,
    ) -> Result<Self, Trouble> {
        let node = Node::start(config.clone()).await.map_err(not_started)?;
        let http = http.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let started = Self::around(node.clone(), http).await;
        if started.is_err() {
            node.shutdown(GRACE).await;
        }
        started
    }

    async fn around(node: Node, http: SocketAddr) -> Result<Self, Trouble> {
        let server = Server::start(http, node.clone()).await.map_err(|error| {
            Trouble::failed(
                "no_http",
                format!("the control API cannot listen on {http}: {error}"),
            )
            .still("The node did not start, and its data is as it was.")
            .advice("Choose another address with --http IP:PORT, or none.")
        })?;
        let announcement = node
            .announce(Some(server.addr()))
            .map_err(|error| Trouble::failed("io", error.to_string()))?;
        Ok(Self {
            node,
            server,
            announcement,
        })
    }

    /// Where the control API listens.
    pub(crate) fn http(&self) -> SocketAddr {
        self.server.addr()
    }

    /// A client of this very node.
    pub(crate) fn client(&self) -> Result<Client, Trouble> {
        Client::new(self.http(), self.node.control_token())
    }

    /// Stops in order: no new work, work under way ends, neighbours hear of it.
    pub(crate) async fn stop(self) {
        let Self {
            node,
            server,
            announcement,
        } = self;
        // Nobody should find a node that is about to end.
        drop(announcement);
        let both = async { tokio::join!(server.stop(), node.shutdown(GRACE)) };
        if tokio::time::timeout(STOP_MAX, both).await.is_err() {
            tracing::warn!("not everything ended in time");
        }
    }
}

fn not_started(error: StartError) -> Trouble {
    if let StartError::Join(error) = error {
        let trouble = chordal_web::join_problem(&error);
        return Trouble::from(trouble).still("The node did not start, and its data is as it was.");
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "reasons may be added; those without a code of their own share one"
    )]
    let code = match &error {
        StartError::PortInUse(_) => "port_in_use",
        StartError::NotOurs(_) => "not_our_address",
        StartError::Locked { .. } => "locked",
        StartError::Newer { .. } => "newer_format",
        StartError::Expelled { .. } => "expelled",
        StartError::OtherRing { .. }
        | StartError::NoMember { .. }
        | StartError::NotAdmitted { .. }
        | StartError::Another { .. } => "refused",
        StartError::Enrol {
            reason: ConnectError::TheyRefuse(_) | ConnectError::WeRefuse(_),
            ..
        } => "refused",
        _ => "not_started",
    };
    let exit = match code {
        "refused" | "expelled" => Exit::Refused,
        _ => Exit::Failed,
    };
    // These texts say themselves what is still true and what to do.
    Trouble::ending(exit, code, error.to_string()).still("")
}
