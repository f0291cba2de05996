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
