use super::*;

#[test]
fn a_lock_that_is_not_given_back_is_not_waited_for_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let held = take(private_file(&path).unwrap(), Duration::ZERO).unwrap();
    let other = private_file(&path).unwrap();
    let error = take(other, Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(held);
    assert!(take(private_file(&path).unwrap(), Duration::ZERO).is_ok());
}
