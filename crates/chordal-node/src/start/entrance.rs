//! How a node proves to others that it belongs, and whom it lets in itself.
//!
//! Where the ring was founded on this machine, its home holds the authority, and its nodes certify
//! themselves. On another machine a node needs an invitation once, and keeps the certificate that
//! it gets for it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use chordal_net::{
    Admission, AuthorityId, Certificate, ConnectError, Enrolled, Expulsion, Fingerprint,
    InviteCode, NodeKey, PeerId, Refusal, enrol,
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{StartError, network_limits};
use crate::home::{Admitted, By, Home, Invitations, NodeFolder, RingAuthority, now};
use crate::nearby::{self, Wanted};
use crate::node::NodeConfig;

/// What admits a node, and the invitations of its home, if it may invite.
pub(super) struct Entrance {
    pub(super) admission: Arc<Admission>,
    /// Where it was let in just now.
    pub(super) let_in_at: Option<SocketAddr>,
    pub(super) invitations: Option<Arc<Invitations>>,
}

/// Refuses a start that cannot come to anything, before any file of the node is touched.
/// `becomes_another` is a node that must give its identity up.
pub(super) fn foresee(
    config: &NodeConfig,
    path: &Path,
    becomes_another: bool,
) -> Result<(), StartError> {
    let home = &config.home;
    let member = NodeFolder::peek(path)?;
    let expelled = home.expelled()?;
    let is_own = |word: &&Expulsion| member.as_ref().is_some_and(|(id, _)| *id == word.node());
    if let Some(word) = expelled.iter().find(is_own) {
        return Err(StartError::Expelled {
            folder: path.to_owned(),
            since: word.since(),
        });
    }
    let known = match home.authority()? {
        Some(known) => known,
        // The home is told last: a start that broke off in between is made up for.
        None => match &member {
            Some((_, certificate)) => RingAuthority::Other(certificate.authority()),
            // It would found a ring of its own first, and nobody of another one would let it in then.
            None if config.invite.is_none() && !config.join.is_empty() => {
                return Err(StartError::NoMember {
                    home: home.path().to_owned(),
                });
            }
            None => return Ok(()),
        },
    };
    if let Some(code) = &config.invite
        && Fingerprint::of(&known.id()) != code.ring
    {
        return Err(other_ring(home));
    }
    let RingAuthority::Other(authority) = known else {
        return Ok(());
    };
    let is_member = |(node, certificate): &(PeerId, Certificate)| {
        certificate.verify(&authority, node).is_ok() && !becomes_another
    };
    if config.invite.is_some() || member.as_ref().is_some_and(is_member) {
        return Ok(());
    }
    Err(if becomes_another {
        StartError::Another {
            path: path.to_owned(),
            founder: home.founder(),
        }
    } else {
        not_admitted(home)
    })
}

/// Tells the admission whom earlier lives heard to be expelled; refuses to go on if this node is one of
/// them.
pub(super) fn recall_expelled(
    home: &Home,
    folder: &NodeFolder,
    key: &NodeKey,
    admission: &Admission,
) -> Result<(), StartError> {
    for word in home.expelled()? {
        if let Err(error) = admission.expel(word) {
            tracing::error!(%error, "in the list of those who are expelled there is one of another ring");
        }
    }
    match admission.expulsion_of(&key.peer_id()) {
        None => Ok(()),
        Some(word) => Err(StartError::Expelled {
            folder: folder.path().to_owned(),
            since: word.since(),
        }),
    }
}

/// Finds out how this node belongs to its ring, enrols it where it was invited, or founds a ring.
/// Waits for the disk and the network; gives the network up when `stop` says so.
pub(super) fn open(
    config: &NodeConfig,
    folder: &NodeFolder,
    key: &NodeKey,
    stop: &CancellationToken,
) -> Result<Entrance, StartError> {
    let home = &config.home;
    let known = if let Some(known) = home.authority()? {
        Some(known)
    } else {
        let certificate = folder.certificate()?;
        certificate.map(|certificate| RingAuthority::Other(certificate.authority()))
    };
    match (known, &config.invite) {
        (Some(known), Some(code)) if Fingerprint::of(&known.id()) != code.ring => {
            Err(other_ring(home))
        }
        (Some(RingAuthority::Own(invitations)), _) => own(invitations, folder, key),
        (None, None) => match home.found()? {
            Some(invitations) => own(invitations, folder, key),
            None => Err(not_admitted(home)),
        },
        (Some(RingAuthority::Other(authority)), code) => {
            let kept = folder.certificate()?;
            let kept = kept.filter(|kept| kept.verify(&authority, &key.peer_id()).is_ok());
            match (kept, code) {
                (Some(certificate), _) => invited(home, authority, certificate),
                (None, Some(code)) => enter(config, folder, key, code, stop),
                (None, None) => Err(not_admitted(home)),
            }
        }
        (None, Some(code)) => enter(config, folder, key, code, stop),
    }
}

/// Where the authority is, a node certifies itself; it keeps that, so that it is known since when it
/// is a member.
fn own(
    invitations: Invitations,
    folder: &NodeFolder,
    key: &NodeKey,
) -> Result<Entrance, StartError> {
    let (authority, node) = (invitations.authority(), key.peer_id());
    let kept = folder.certificate()?;
    let kept = kept.filter(|kept| kept.verify(&authority.id(), &node).is_ok());
    let certificate = if let Some(kept) = kept {
        kept
    } else {
        let certificate = authority.issue(node, now());
        folder.keep_certificate(&certificate)?;
        certificate
    };
    invitations.roster().note(Admitted {
        node,
        since: certificate.issued_at(),
        by: By::Own,
    })?;
    let admission = Admission::new(authority.id(), certificate);
    let invitations = Arc::new(invitations);
    Ok(Entrance {
        admission: Arc::new(admission.inviting(Arc::clone(&invitations) as Arc<_>)),
        let_in_at: None,
        invitations: Some(invitations),
    })
}

fn invited(
    home: &Home,
    authority: AuthorityId,
    certificate: Certificate,
) -> Result<Entrance, StartError> {
    if !home.keep_authority(authority)? {
        return Err(other_ring(home));
    }
    Ok(Entrance {
        admission: Arc::new(Admission::new(authority, certificate)),
        let_in_at: None,
        invitations: None,
    })
}

fn enter(
    config: &NodeConfig,
    folder: &NodeFolder,
    key: &NodeKey,
    code: &InviteCode,
    stop: &CancellationToken,
) -> Result<Entrance, StartError> {
    let asking = stop.run_until_cancelled(ask(config, key, code));
    let enrolled = match Handle::current().block_on(asking) {
        None => return Err(StartError::Interrupted),
        Some(Ok(enrolled)) => enrolled,
        Some(Err(reason)) => {
            return Err(StartError::Enrol {
                reason,
                folder: folder.path().to_owned(),
            });
        }
    };
    folder.keep_certificate(&enrolled.certificate)?;
    let mut entrance = invited(&config.home, enrolled.authority, enrolled.certificate)?;
    entrance.let_in_at = Some(enrolled.by);
    config.home.keep_founder(enrolled.by)?;
    Ok(entrance)
}

/// Asks at the addresses of the code, and where nobody there lets anybody in, at those of the local
/// network that claim to be of the ring that the code means.
async fn ask(
    config: &NodeConfig,
    key: &NodeKey,
    code: &InviteCode,
) -> Result<Enrolled, ConnectError> {
    let limits = network_limits();
    let asked = enrol(key, config.listen, code, &limits).await;
    let is_final = match &asked {
        Ok(_) => true,
        Err(ConnectError::TheyRefuse(refusal)) => *refusal != Refusal::CannotInvite,
        Err(_) => false,
    };
    if is_final || !config.nearby || !nearby::is_of_use(config.listen) {
        return asked;
    }
    let mut addrs = nearby::find(code.ring, Wanted::Inviters).await;
    addrs.retain(|addr| !code.addrs.contains(addr));
    if addrs.is_empty() {
        return asked;
    }
    tracing::info!(?addrs, "the ring is on the local network");
    let code = InviteCode {
        addrs,
        ..code.clone()
    };
    enrol(key, config.listen, &code, &limits).await
}

fn other_ring(home: &Home) -> StartError {
    StartError::OtherRing {
        home: home.path().to_owned(),
    }
}

fn not_admitted(home: &Home) -> StartError {
    StartError::NotAdmitted {
        home: home.path().to_owned(),
        founder: home.founder(),
    }
}
