use super::*;

fn admitted(id: u8, by: By) -> Admitted {
    Admitted {
        node: PeerId([id; 32]),
        since: 1_800_000_000 + u64::from(id),
        by,
    }
}

#[test]
fn everybody_is_in_it_once_and_a_line_cut_short_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let roster = Roster::of(folder.path());
    assert_eq!(roster.all().unwrap(), []);
    let own = admitted(1, By::Own);
    roster.note(own.clone()).unwrap();
    roster
        .note(admitted(1, By::Invitation("c0ffee".to_owned())))
        .unwrap();
    assert_eq!(roster.all().unwrap(), std::slice::from_ref(&own));

    let cut = format!("{}0505", std::fs::read_to_string(roster.path()).unwrap());
    std::fs::write(roster.path(), cut).unwrap();
    let guest = admitted(2, By::Invitation("c0ffee".to_owned()));
    roster.note(guest.clone()).unwrap();
    assert_eq!(roster.all().unwrap(), [own, guest]);
}
