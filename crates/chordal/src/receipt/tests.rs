use super::*;

fn some() -> ReceiptFile {
    ReceiptFile::of(&example::receipt())
}

#[test]
fn a_receipt_is_written_whole_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt");
    may_write(&path).unwrap();
    write(&path, &some()).unwrap();
    assert_eq!(ReceiptFile::of(&read(&path).unwrap()), some());
    assert_eq!(may_write(&path).unwrap_err().code, "exists");
    assert_eq!(write(&path, &some()).unwrap_err().code, "exists");
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside it");
    let nowhere = folder.path().join("no/receipt");
    assert_eq!(write(&nowhere, &some()).unwrap_err().code, "io");
}

#[test]
fn without_links_a_receipt_replaces_nothing_either_and_other_errors_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, begun) = (folder.path().join("receipt"), folder.path().join("begun"));
    let failing = |kind: io::ErrorKind| move |_: &Path, _: &Path| Err(kind.into());
    let none = failing(io::ErrorKind::Unsupported);
    write_to(&begun, &path, b"one", none).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert!(!begun.exists());

    let none = failing(io::ErrorKind::PermissionDenied);
    let refused = write_to(&begun, &path, b"two", none).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"one");
    fs::remove_file(&begun).unwrap();

    let other = folder.path().join("other");
    let full = failing(io::ErrorKind::StorageFull);
    let refused = write_to(&begun, &other, b"two", full).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    assert!(!other.exists());
}

#[test]
fn what_is_no_receipt_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt");
    assert_eq!(read(&path).unwrap_err().code, "io");
    for text in [
        "",
        "{}",
        "[]",
        "receipt",
        some().text().get(..1000).unwrap(),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(read(&path).unwrap_err().code, "no_receipt", "{text}");
    }
}
