//! Who may enter: a node is a member when the ring's authority signed its key.
//!
//! [`Admission`] is the policy of one endpoint: the authority it trusts, its own certificate, and
//! the peers that are refused although their certificate is good. It refuses to decide *when*
//! somebody is expelled, and to spread that word: it is told.

mod certificate;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::error::Refusal;
use crate::identity::PeerId;
use crate::invite::Inviter;

pub use certificate::{Authority, AuthorityId, Certificate, CertificateError};

/// The admission policy of an endpoint. Shared and changeable while the endpoint runs.
#[derive(Debug)]
pub struct Admission {
    authority: AuthorityId,
    certificate: Certificate,
    inviter: Option<Arc<dyn Inviter>>,
    refused: RwLock<HashSet<PeerId>>,
    changed: watch::Sender<()>,
}

impl Admission {
    /// Admits those whom `authority` certified, and shows `certificate` as our own.
    pub fn new(authority: AuthorityId, certificate: Certificate) -> Self {
        Self {
            authority,
            certificate,
            inviter: None,
            refused: RwLock::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// The same, for a node that lets newcomers in who have an invitation.
    #[must_use]
    pub fn inviting(mut self, inviter: Arc<dyn Inviter>) -> Self {
        self.inviter = Some(inviter);
        self
    }

    pub(crate) fn inviter(&self) -> Option<Arc<dyn Inviter>> {
        self.inviter.clone()
    }

    /// The authority whose certificates count.
    pub fn authority(&self) -> AuthorityId {
        self.authority
    }

    /// Our own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Replaces the set of refused peers. Their open connections end.
    pub fn set_refused(&self, peers: impl IntoIterator<Item = PeerId>) {
        let peers = peers.into_iter().collect();
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = peers;
        self.changed.send_replace(());
    }

    /// Adds one peer to the refused. Its open connections end.
    pub fn refuse(&self, peer: PeerId) {
        let mut refused = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        refused.insert(peer);
        drop(refused);
        self.changed.send_replace(());
    }

    /// Whether this peer is refused whatever its certificate says.
    pub fn is_refused(&self, peer: &PeerId) -> bool {
        let refused = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        refused.contains(peer)
    }

    /// Whether `peer`, who showed these certificate bytes, may enter.
    pub(crate) fn admit(&self, peer: &PeerId, certificate: &[u8]) -> Result<(), Refusal> {
        let certificate = Certificate::decode(certificate).map_err(|_| Refusal::BadCertificate)?;
        match certificate.verify(&self.authority, peer) {
            Ok(()) if self.is_refused(peer) => Err(Refusal::Expelled),
            Ok(()) => Ok(()),
            Err(CertificateError::OtherAuthority) => Err(Refusal::OtherRing),
            Err(_) => Err(Refusal::BadCertificate),
        }
    }

    /// Fires whenever the set of refused peers changes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests;
