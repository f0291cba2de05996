use std::sync::RwLock;

use super::*;

fn written(folder: &Path, notes: &[(u64, &[u8])]) -> Recalled {
    let settings = Settings {
        ring_name: "here".to_owned(),
        ..Settings::default()
    };
    let copy = Acquaintances::new(folder, Arc::new(RwLock::new(settings)));
    for (number, members) in notes {
        copy.write(*number, members);
    }
    Recalled::read(folder)
}

#[test]
fn a_table_without_others_is_not_noted() {
    let folder = tempfile::tempdir().unwrap();
    let recalled = written(folder.path(), &[(1, b"no table"), (2, b"")]);
    assert_eq!(recalled, Recalled::default());
}

#[test]
fn what_is_no_copy_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Recalled::read(folder.path()), Recalled::default());
    let bad = [
        &b""[..],
        &[1],
        &[1, 0xff, 0xff, 0xff, 0xff],
        &[2, 0, 0, 0, 0],
    ];
    for bytes in bad {
        fs::write(folder.path().join(FILE), bytes).unwrap();
        let recalled = Recalled::read(folder.path());
        assert_eq!(recalled, Recalled::default(), "{bytes:?}");
    }
}
