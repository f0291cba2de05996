use super::*;

#[test]
fn the_rate_over_many_files_is_of_their_bytes_alone() {
    let progress = Progress::files(4, 3 * FILE_COST, "storing");
    let many = progress.many.clone().unwrap();
    assert_eq!(many.bytes_per_second(0, 0.0), 0);
    progress.advance(FILE_COST);
    progress.file_done();
    assert_eq!(many.files_done.load(Ordering::Relaxed), 1);
    // Of what was counted until now, half were bytes.
    assert_eq!(many.bytes_per_second(2 * FILE_COST, 1000.0), 500);
}
