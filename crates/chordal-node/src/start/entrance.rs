//! How a node proves to others that it belongs, and whom it lets in itself.
//!
//! Where the ring was founded on this machine, its home holds the authority, and its nodes certify
//! themselves. On another machine a node needs an invitation once, and keeps the certificate that
//! it gets for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use chordal_net::{Admission, AuthorityId, Certificate, Fingerprint, InviteCode, NodeKey, enrol};
use tokio::runtime::Handle;

use super::{StartError, network_limits};
use crate::home::{Home, Invitations, NodeFolder, RingAuthority};
use crate::node::NodeConfig;

/// What admits a node, and the invitations of its home, if it may invite.
pub(super) struct Entrance {
    pub(super) admission: Arc<Admission>,
    pub(super) invitations: Option<Arc<Invitations>>,
}

/// Finds out how this node belongs to its ring, enrols it where it was invited, or founds a ring.
/// Waits for the disk and the network.
pub(super) fn open(
    config: &NodeConfig,
    folder: &NodeFolder,
    key: &NodeKey,
) -> Result<Entrance, StartError> {
    let home = &config.home;
    let known = if let Some(known) = home.authority()? {
        Some(known)
    } else {
        // The home is told last: a start that broke off in between is made up for here.
        let certificate = folder.certificate()?;
        certificate.map(|certificate| RingAuthority::Other(certificate.authority()))
    };
    if let (Some(known), Some(code)) = (&known, &config.invite)
        && Fingerprint::of(&known.id()) != code.ring
    {
        return Err(StartError::OtherRing {
            home: home.path().to_owned(),
        });
    }
    match (known, &config.invite) {
        (Some(RingAuthority::Own(invitations)), _) => Ok(own(invitations, key)),
        (None, None) => Ok(own(home.found()?, key)),
        (Some(RingAuthority::Other(authority)), code) => {
            let kept = folder.certificate()?;
            let kept = kept.filter(|kept| kept.verify(&authority, &key.peer_id()).is_ok());
            match (kept, code) {
                (Some(certificate), _) => {
                    home.keep_authority(authority)?;
                    Ok(invited(authority, certificate))
                }
                (None, Some(code)) => enter(home, folder, key, config.listen, code),
                (None, None) => Err(StartError::NotAdmitted {
                    home: home.path().to_owned(),
                }),
            }
        }
        (None, Some(code)) => enter(home, folder, key, config.listen, code),
    }
}

fn own(invitations: Invitations, key: &NodeKey) -> Entrance {
    let authority = invitations.authority();
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let certificate = authority.issue(key.peer_id(), since.map_or(0, |since| since.as_secs()));
    let admission = Admission::new(authority.id(), certificate);
    let invitations = Arc::new(invitations);
    Entrance {
        admission: Arc::new(admission.inviting(Arc::clone(&invitations) as Arc<_>)),
        invitations: Some(invitations),
    }
}

fn invited(authority: AuthorityId, certificate: Certificate) -> Entrance {
    Entrance {
        admission: Arc::new(Admission::new(authority, certificate)),
        invitations: None,
    }
}

fn enter(
    home: &Home,
    folder: &NodeFolder,
    key: &NodeKey,
    listens: SocketAddr,
    code: &InviteCode,
) -> Result<Entrance, StartError> {
    let limits = network_limits();
    let enrolled = match Handle::current().block_on(enrol(key, listens, code, &limits)) {
        Ok(enrolled) => enrolled,
        Err(reason) => return Err(StartError::Enrol { reason }),
    };
    folder.keep_certificate(&enrolled.certificate)?;
    home.keep_authority(enrolled.authority)?;
    Ok(invited(enrolled.authority, enrolled.certificate))
}
