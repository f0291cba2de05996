use proptest::prelude::*;

use super::*;

fn authority() -> Authority {
    Authority::from_seed([1; 32])
}

#[test]
fn an_expulsion_is_the_same_on_every_machine_and_for_ever() {
    let expulsion = authority().expel(PeerId([2; 32]), 1_700_000_000);
    let bytes = expulsion.encode();
    assert_eq!(bytes.len(), Expulsion::BYTES);
    assert_eq!(Expulsion::decode(&bytes), Ok(expulsion));
    assert_eq!(expulsion.verify(&authority().id()), Ok(()));
    assert_eq!(
        (expulsion.node(), expulsion.since()),
        (PeerId([2; 32]), 1_700_000_000)
    );
}

#[test]
fn only_the_authority_expels() {
    let strange = Authority::from_seed([9; 32]).expel(PeerId([2; 32]), 5);
    assert_eq!(
        strange.verify(&authority().id()),
        Err(CertificateError::OtherAuthority)
    );
    // Claimed to be of our authority, and signed by another one.
    let forged = Expulsion(Statement {
        authority: authority().id(),
        ..strange.0
    });
    assert_eq!(
        forged.verify(&authority().id()),
        Err(CertificateError::Signature)
    );
}

#[test]
fn a_certificate_is_no_expulsion_of_its_node() {
    let certificate = authority().issue(PeerId([2; 32]), 5).encode();
    let read = Expulsion::decode(&certificate).unwrap();
    assert_eq!(
        read.verify(&authority().id()),
        Err(CertificateError::Signature)
    );
}

proptest! {
    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(read) = Expulsion::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn whatever_is_altered_it_is_good_no_more(at in 1..Expulsion::BYTES, bit in 0..8_u8) {
        let mut bytes = authority().expel(PeerId([2; 32]), 5).encode();
        bytes[at] ^= 1 << bit;
        let altered = Expulsion::decode(&bytes).unwrap();
        prop_assert!(altered.verify(&authority().id()).is_err());
    }
}
