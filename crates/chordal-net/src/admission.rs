//! Who may enter: a node is a member when the ring's authority signed its key.
//!
//! [`Admission`] is the policy of one endpoint: the authority it trusts, its own certificate, and
//! the peers that are refused although their certificate is good, because the authority expelled
//! them. It tells that word to whom it is about, and to nobody else: it refuses to keep and to spread
//! it.

mod certificate;
mod expulsion;
mod statement;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Semaphore, watch};

use crate::error::Refusal;
use crate::identity::PeerId;
use crate::invite::Inviter;
use crate::limits::{ENROLMENTS_MAX, EXPELLED_MAX};

pub use certificate::{Authority, AuthorityId, Certificate, CertificateError};
pub use expulsion::Expulsion;

/// The admission policy of an endpoint. Shared and changeable while the endpoint runs.
#[derive(Debug)]
pub struct Admission {
    authority: AuthorityId,
    certificate: Certificate,
    inviter: Option<Arc<dyn Inviter>>,
    /// How many newcomers may be looked up at a time: each takes a thread, and strangers may ask.
    enrolments: Arc<Semaphore>,
    expelled: RwLock<BTreeMap<PeerId, Expulsion>>,
    changed: watch::Sender<()>,
}

impl Admission {
    /// Admits those whom `authority` certified, and shows `certificate` as our own.
    pub fn new(authority: AuthorityId, certificate: Certificate) -> Self {
        Self {
            authority,
            certificate,
            inviter: None,
            enrolments: Arc::new(Semaphore::new(ENROLMENTS_MAX)),
            expelled: RwLock::default(),
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

    /// A place among the newcomers that are looked up at a time.
    pub(crate) fn enrolments(&self) -> Arc<Semaphore> {
        Arc::clone(&self.enrolments)
    }

    /// The authority whose certificates count.
    pub fn authority(&self) -> AuthorityId {
        self.authority
    }

    /// Our own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Takes note that somebody is expelled. The connections with that peer end, and no further one
    /// is made. False where it was known, or where no further expulsion is remembered.
    pub fn expel(&self, expulsion: Expulsion) -> Result<bool, CertificateError> {
        if self.is_refused(&expulsion.node()) {
            return Ok(false);
        }
        expulsion.verify(&self.authority)?;
        let mut expelled = self
            .expelled
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if expelled.contains_key(&expulsion.node()) {
            return Ok(false);
        }
        if expelled.len() >= EXPELLED_MAX {
            tracing::error!(
                ?expulsion,
                "too many nodes were expelled to remember this one"
            );
            return Ok(false);
        }
        expelled.insert(expulsion.node(), expulsion);
        drop(expelled);
        self.changed.send_replace(());
        Ok(true)
    }

    /// Everybody who is expelled, in the order of their ids.
    pub fn expulsions(&self) -> Vec<Expulsion> {
        let expelled = self.expelled.read().unwrap_or_else(PoisonError::into_inner);
        expelled.values().copied().collect()
    }

    /// The authority's word that this peer is expelled, if it is.
    pub fn expulsion_of(&self, peer: &PeerId) -> Option<Expulsion> {
        let expelled = self.expelled.read().unwrap_or_else(PoisonError::into_inner);
        expelled.get(peer).copied()
    }

    /// Whether this peer is refused whatever its certificate says.
    pub fn is_refused(&self, peer: &PeerId) -> bool {
        self.expulsion_of(peer).is_some()
    }

    /// Whether `peer`, who showed these certificate bytes, may enter; since when it is a member, in
    /// Unix seconds.
    pub(crate) fn admit(&self, peer: &PeerId, certificate: &[u8]) -> Result<u64, Refusal> {
        let certificate = Certificate::decode(certificate).map_err(|_| Refusal::BadCertificate)?;
        match certificate.verify(&self.authority, peer) {
            Ok(()) if self.is_refused(peer) => Err(Refusal::Expelled),
            Ok(()) => Ok(certificate.issued_at()),
            Err(CertificateError::OtherAuthority) => Err(Refusal::OtherRing),
            Err(_) => Err(Refusal::BadCertificate),
        }
    }

    /// Fires whenever somebody was expelled.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests;
