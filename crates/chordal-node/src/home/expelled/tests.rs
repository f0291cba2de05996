use chordal_net::Authority;

use super::*;

#[test]
fn several_nodes_keep_what_each_of_them_heard() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    assert_eq!(home.expelled().unwrap(), []);
    let authority = Authority::generate();
    let expel = |id: u8| authority.expel(PeerId([id; 32]), u64::from(id));
    home.keep_expelled(&[expel(2)]).unwrap();
    home.keep_expelled(&[expel(1), expel(2)]).unwrap();
    home.keep_expelled(&[]).unwrap();
    assert_eq!(home.expelled().unwrap(), [expel(1), expel(2)]);
}

#[test]
fn only_the_word_of_the_ring_s_authority_expels() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let (authority, other) = (Authority::generate(), Authority::generate());
    let said = [
        authority.expel(PeerId([1; 32]), 1),
        other.expel(PeerId([2; 32]), 1),
    ];
    home.keep_expelled(&said).unwrap();
    let known = |authority: &Authority| home.expelled_from(&authority.id()).unwrap();
    assert_eq!(known(&authority), BTreeSet::from([NodeId::new([1; 32])]));
    assert_eq!(known(&other), BTreeSet::from([NodeId::new([2; 32])]));
    assert_eq!(known(&Authority::generate()), BTreeSet::new());
}

#[test]
fn a_list_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let authority = Authority::generate();
    home.keep_expelled(&[authority.expel(PeerId([1; 32]), 1)])
        .unwrap();
    let path = folder.path().join("expelled");
    let half = std::fs::read(&path).unwrap()[..100].to_vec();
    std::fs::write(&path, &half).unwrap();
    assert!(matches!(home.expelled(), Err(HomeError::Damaged { .. })));
    let kept = home.keep_expelled(&[authority.expel(PeerId([2; 32]), 1)]);
    assert!(matches!(kept, Err(HomeError::Damaged { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), half, "it was not touched");
}
