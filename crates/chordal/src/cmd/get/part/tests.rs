use super::*;

const HASH: &str = "00112233445566778899";

fn write(part: Part, pieces: &[&'static [u8]]) -> (Part, blake3::Hash) {
    let (sender, receiver) = mpsc::channel(16);
    for piece in pieces {
        sender.try_send(Bytes::from_static(piece)).unwrap();
    }
    drop(sender);
    part.write_all(receiver).unwrap()
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("a");
    drop(write(Part::open(&dest, HASH).unwrap(), &[b"abc"]));
    assert!(!dest.exists());

    let part = Part::open(&dest, HASH).unwrap();
    assert_eq!(part.length(), 3);
    let (part, hash) = write(part, &[b"de", b"f"]);
    assert_eq!(hash, blake3::hash(b"abcdef"));
    part.finish(&dest, Existing::Keep).unwrap();
    assert_eq!(fs::read(&dest).unwrap(), b"abcdef");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_came_of_another_version_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("a");
    drop(write(Part::open(&dest, HASH).unwrap(), &[b"abc"]));
    let other = Part::open(&dest, "ffff").unwrap();
    assert_eq!(other.length(), 0);
}

#[test]
fn a_file_that_appeared_meanwhile_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("a");
    let (part, _) = write(Part::open(&dest, HASH).unwrap(), &[b"new"]);
    fs::write(&dest, "old").unwrap();
    let trouble = part.finish(&dest, Existing::Keep).unwrap_err();
    assert_eq!(trouble.code, "exists");
    assert_eq!(fs::read(&dest).unwrap(), b"old");

    let (part, _) = write(Part::open(&dest, HASH).unwrap(), &[b"new"]);
    part.finish(&dest, Existing::Replace).unwrap();
    assert_eq!(fs::read(&dest).unwrap(), b"new");
}

#[test]
fn two_downloads_to_one_place_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("a");
    let first = Part::open(&dest, HASH).unwrap();
    assert_eq!(Part::open(&dest, HASH).unwrap_err().code, "busy");
    drop(first);
}

#[test]
fn an_empty_part_does_not_stay_behind() {
    let folder = tempfile::tempdir().unwrap();
    drop(Part::open(&folder.path().join("a"), HASH).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_longest_name_still_has_a_part() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("ä".repeat(127));
    drop(Part::open(&dest, HASH).unwrap());
}
