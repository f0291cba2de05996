use proptest::prelude::*;

use super::{Admission, Authority, AuthorityId, Certificate, CertificateError};
use crate::error::Refusal;
use crate::identity::{NodeKey, PeerId};

fn authority() -> Authority {
    Authority::from_seed([1; 32])
}

fn node() -> PeerId {
    NodeKey::from_seed([2; 32]).peer_id()
}

#[test]
fn a_certificate_survives_the_wire_and_holds() {
    let issued = authority().issue(node(), 1_700_000_000);
    let read = Certificate::decode(&issued.encode()).unwrap();
    assert_eq!(read, issued);
    assert_eq!(read.verify(&authority().id(), &node()), Ok(()));
    assert_eq!(read.issued_at(), 1_700_000_000);
    assert_eq!((read.authority(), read.node()), (authority().id(), node()));
}

#[test]
fn the_bytes_of_a_certificate_never_change() {
    let issued = authority().issue(node(), 1_700_000_000);
    let hex: String = crate::identity::hex(&issued.encode()).collect();
    assert_eq!(hex, include_str!("golden/certificate-1.hex").trim_end());
}

#[test]
fn a_certificate_holds_for_its_ring_and_node_only() {
    let issued = authority().issue(node(), 0);
    let other = NodeKey::generate().peer_id();
    let stranger = Authority::generate().id();
    let by_other_ring = issued.verify(&stranger, &node());
    assert_eq!(by_other_ring, Err(CertificateError::OtherAuthority));
    let for_other_node = issued.verify(&authority().id(), &other);
    assert_eq!(for_other_node, Err(CertificateError::OtherNode));
}

#[test]
fn every_single_damaged_bit_is_noticed() {
    let bytes = authority().issue(node(), 77).encode();
    assert_eq!(bytes.len(), Certificate::BYTES);
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let outcome = Certificate::decode(&damaged)
            .and_then(|certificate| certificate.verify(&authority().id(), &node()));
        assert!(outcome.is_err(), "bit {bit}");
    }
}

#[test]
fn a_certificate_of_a_later_version_is_told_from_garbage() {
    let mut bytes = authority().issue(node(), 0).encode();
    bytes[0] = 2;
    let version = CertificateError::Version { version: 2 };
    assert_eq!(Certificate::decode(&bytes), Err(version));
    assert_eq!(Certificate::decode(&[]), Err(CertificateError::Malformed));
    assert_eq!(
        Certificate::decode(&[1; 136]),
        Err(CertificateError::Malformed)
    );
    assert_eq!(
        Certificate::decode(&[1; 138]),
        Err(CertificateError::Malformed)
    );
}

#[test]
fn the_policy_tells_its_reason() {
    let own = authority().issue(node(), 0);
    let admission = Admission::new(authority().id(), own);
    let peer = NodeKey::from_seed([3; 32]).peer_id();
    let good = authority().issue(peer, 0).encode();
    let strange = Authority::generate().issue(peer, 0).encode();
    let borrowed = authority().issue(node(), 0).encode();
    assert_eq!(admission.admit(&peer, &good), Ok(0));
    assert_eq!(admission.admit(&peer, &strange), Err(Refusal::OtherRing));
    assert_eq!(
        admission.admit(&peer, &borrowed),
        Err(Refusal::BadCertificate)
    );
    assert_eq!(
        admission.admit(&peer, b"garbage"),
        Err(Refusal::BadCertificate)
    );
    let strange = Authority::generate().expel(peer, 0);
    assert_eq!(
        admission.expel(strange),
        Err(CertificateError::OtherAuthority)
    );
    assert_eq!(admission.admit(&peer, &good), Ok(0));
    let expulsion = authority().expel(peer, 0);
    assert_eq!(admission.expel(expulsion), Ok(true));
    assert_eq!(admission.expel(expulsion), Ok(false), "known");
    assert_eq!(admission.admit(&peer, &good), Err(Refusal::Expelled));
    assert_eq!(admission.expulsions(), [expulsion]);
}

#[test]
fn every_refusal_survives_its_code() {
    for code in 1..=u8::MAX {
        assert_eq!(Refusal::from_code(code).code(), code);
    }
}

#[test]
fn an_authority_survives_in_its_file_and_never_shows_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.key");
    let made = Authority::load_or_create(&path).unwrap();
    let read = Authority::load_or_create(&path).unwrap();
    assert_eq!(made.id(), read.fingerprint());
    assert_eq!(made.id().to_string().parse::<AuthorityId>(), Ok(made.id()));
    let shown = format!("{:?}", authority());
    assert!(
        !shown.contains("0101") && !shown.contains("1, 1"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(Certificate::decode(&bytes));
    }

    #[test]
    fn no_content_passes_without_its_signature(content in any::<[u8; Certificate::BYTES - 1]>()) {
        let bytes = [[1].as_slice(), &content].concat();
        let certificate = Certificate::decode(&bytes).unwrap();
        let verified = certificate.verify(&certificate.authority(), &certificate.node());
        prop_assert_eq!(verified, Err(CertificateError::Signature));
    }
}
