use super::*;

#[test]
fn an_invitation_is_read_back_as_it_was_written() {
    let invitation = Invitation {
        secret: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255],
        until: 1_800_000_000,
        uses: 3,
        admitted: vec![PeerId([5; 32]), PeerId([6; 32])],
    };
    assert_eq!(Invitation::parse(&invitation.text()), Some(invitation));
    for text in ["", "00 1 1", "zz0102030405060708090aff 1 1", "0001 1"] {
        assert_eq!(Invitation::parse(text), None, "{text}");
    }
}

fn home() -> (tempfile::TempDir, Invitations) {
    let folder = tempfile::tempdir().unwrap();
    let invitations = Invitations::new(folder.path(), Authority::generate());
    (folder, invitations)
}

fn secret(number: usize) -> InviteSecret {
    let mut secret = [0; 12];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    secret
}

#[test]
fn open_invitations_are_bounded_and_those_that_are_over_make_room() {
    let (_folder, invitations) = home();
    let hour = Duration::from_hours(1);
    for number in 0..2 * INVITATIONS_KEPT_MAX {
        invitations.open(secret(number), 1, Duration::ZERO).unwrap();
    }
    assert!(invitations.all().unwrap().len() <= INVITATIONS_KEPT_MAX);
    for number in 0..INVITATIONS_MAX {
        invitations.open(secret(1000 + number), 1, hour).unwrap();
    }
    let error = invitations.open(secret(5000), 1, hour).unwrap_err();
    assert!(matches!(error, InviteError::TooMany(INVITATIONS_MAX)));
    assert!(invitations.all().unwrap().len() <= INVITATIONS_KEPT_MAX);
}

#[test]
fn a_stranger_without_a_secret_takes_no_lock_and_makes_no_folder() {
    let (folder, invitations) = home();
    let proof = Proof::sample(&secret(1));
    let refused = invitations.admit(PeerId([1; 32]), &proof);
    assert_eq!(refused.unwrap_err(), Refusal::NotInvited);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    // The lock is held by somebody else for longer than a stranger is heard.
    invitations
        .open(secret(2), 1, Duration::from_hours(1))
        .unwrap();
    let refused =
        invitations.locked(|| Ok::<_, HomeError>(invitations.admit(PeerId([1; 32]), &proof)));
    assert_eq!(refused.unwrap().unwrap_err(), Refusal::NotInvited);
}

#[test]
fn whoever_is_let_in_is_in_the_roster() {
    let (_folder, invitations) = home();
    invitations
        .open(secret(2), 1, Duration::from_hours(1))
        .unwrap();
    let guest = PeerId([7; 32]);
    let certificate = invitations
        .admit(guest, &Proof::sample(&secret(2)))
        .unwrap();
    assert_eq!(certificate.node(), guest);
    let roster = invitations.roster().all().unwrap();
    assert_eq!(roster.len(), 1);
    assert_eq!(
        (roster[0].node, &roster[0].by),
        (guest, &By::Invitation(label(&secret(2))))
    );
}
