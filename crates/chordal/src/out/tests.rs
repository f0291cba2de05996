use super::*;

#[test]
fn a_name_cannot_move_the_cursor() {
    assert_eq!(visible("a\x1b[2Jb\nc\u{9b}"), "a\\u{1b}[2Jb\\nc\\u{9b}");
    assert_eq!(visible("ä日本 ok"), "ä日本 ok");
}

#[test]
fn sizes_and_counts_read_well() {
    assert_eq!(count(1_u32, "copy"), "1 copy");
    assert_eq!(count(3_u32, "copy"), "3 copies");
    assert_eq!(count(0_u32, "node"), "0 nodes");
    assert_eq!(size(1 << 20), "1.0 MiB");
}

#[test]
fn without_a_terminal_there_are_no_colour_codes() {
    let paint = Paint::none();
    assert_eq!(
        format!("{}|{:<4}|", paint.red("x"), paint.bold("y")),
        "x|y   |"
    );
}

#[test]
fn a_closed_pipe_is_silent() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert!(write_line(&mut Closed, &"x").unwrap_err().is_silent());
}

#[test]
fn words_are_not_broken_and_neither_are_commands() {
    let text = "2 copies on disk. Read it on any node: chordal get 'a b c'";
    assert_eq!(
        fold(text, 40),
        "2 copies on disk. Read it on any node:\nchordal get 'a b c'"
    );
    assert_eq!(fold(text, 99), text);
    assert_eq!(fold("aaaa bb cc", 5), "aaaa\nbb cc");
    assert_eq!(fold("see `chordal ls` now", 8), "see\n`chordal ls` now");
    assert_eq!(fold("", 5), "");
}

#[test]
fn only_long_keys_are_shortened() {
    assert_eq!(short_key("797"), "797");
    assert_eq!(short_key("9e15cb9859b072ea5434d919b8c0b01a"), "9e15cb98…");
}

#[test]
fn times_are_for_people() {
    let told = [
        (5, "5 s"),
        (99, "99 s"),
        (130, "3 min"),
        (12_000, "3 h 20 min"),
    ];
    for (seconds, words) in told {
        assert_eq!(time(seconds), words);
    }
}
