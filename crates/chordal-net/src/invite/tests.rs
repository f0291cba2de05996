use super::*;

fn code() -> InviteCode {
    let addrs = [
        SocketAddr::from(([192, 168, 1, 20], 2000)),
        "[2001:db8::7]:2001".parse().unwrap(),
    ];
    InviteCode::fresh(&addrs, &AuthorityId([7; 32]))
}

#[test]
fn a_code_is_read_back_however_it_was_typed() {
    let code = code();
    let text = code.to_string();
    assert_eq!(text.parse(), Ok(code.clone()));
    assert_eq!(text.to_uppercase().parse(), Ok(code.clone()));
    let spaced: Vec<&str> = text
        .as_bytes()
        .chunks(7)
        .map(|part| str::from_utf8(part).unwrap())
        .collect();
    assert_eq!(spaced.join("- ").parse(), Ok(code));
}

#[test]
fn a_code_for_one_machine_is_short_and_one_word() {
    let addrs = [SocketAddr::from(([192, 168, 1, 20], 2000))];
    let text = InviteCode::fresh(&addrs, &AuthorityId([7; 32])).to_string();
    assert_eq!(text.len(), 56);
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    );
}

#[test]
fn every_mistyped_character_is_noticed() {
    let text = code().to_string();
    for at in 0..text.len() {
        let mut typed = text.clone().into_bytes();
        typed[at] = if typed[at] == b'x' { b'y' } else { b'x' };
        let typed = String::from_utf8(typed).unwrap();
        assert!(typed.parse::<InviteCode>().is_err(), "{typed}");
        assert!(text.get(..at).unwrap().parse::<InviteCode>().is_err());
    }
}

#[test]
fn other_texts_are_no_codes() {
    for text in [
        "",
        "192.168.1.20:2000",
        "localhost:2000",
        "photo.jpg",
        &"a".repeat(500),
    ] {
        assert!(text.parse::<InviteCode>().is_err(), "{text}");
    }
    assert_eq!(
        "nas:2000".parse::<InviteCode>(),
        Err(ParseInviteError::NoCode)
    );
}

#[test]
fn a_proof_is_good_for_its_secret_and_its_connection_only() {
    let (secret, binding) = ([1; 12], [2; 32]);
    let tag = Proof::make(&secret, &binding);
    assert!(Proof::received(tag.clone(), binding).is_of(&secret));
    assert!(!Proof::received(tag.clone(), [3; 32]).is_of(&secret));
    assert!(!Proof::received(tag, binding).is_of(&[9; 12]));
    assert!(!Proof::received(Vec::new(), binding).is_of(&secret));
}

#[test]
fn fingerprints_tell_authorities_apart() {
    let one = Fingerprint::of(&AuthorityId([1; 32]));
    assert_ne!(one, Fingerprint::of(&AuthorityId([2; 32])));
}
