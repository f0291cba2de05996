use super::*;

/// What is said, each with its line.
type Lines = Vec<(usize, String)>;

/// What is understood, or the mistakes.
fn check(text: &str) -> Result<Lines, Lines> {
    let place = Place::Home(PathBuf::from("/home/of/nodes/chordal.toml"));
    let line = |written: Written| {
        let values: Vec<_> = written
            .values
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        (
            written.line,
            format!("{}={}", written.setting.name, values.join(" ")),
        )
    };
    match understand(text, &place) {
        Ok(written) => {
            let mut lines: Vec<_> = written.into_iter().map(line).collect();
            lines.sort();
            Ok(lines)
        }
        Err(wrong) => Err(wrong
            .into_iter()
            .map(|wrong| (wrong.line, wrong.what))
            .collect()),
    }
}

/// The one mistake of a file: it is in this line, and these words are in what is said of it.
fn wrong(text: &str, line: usize, words: &str) {
    let wrong = check(text).unwrap_err();
    let [(found, what)] = wrong.as_slice() else {
        panic!("{wrong:?}");
    };
    assert_eq!(*found, line, "{what}");
    assert!(what.contains(words), "'{words}' is not in: {what}");
}

#[test]
fn a_file_says_what_the_flags_say_in_the_same_words() {
    let text = "# mine\noffer = \"3GB\"\nscrub-days = 2.5\nbits = 12\nno-mdns = true\n\njoin = [\"a:1\", \"b:2\"]\n";
    let lines: [(usize, String); 5] = [
        (2, "offer=3GB".to_owned()),
        (3, "scrub-days=2.5".to_owned()),
        (4, "bits=12".to_owned()),
        (5, "no-mdns=true".to_owned()),
        (7, "join=a:1 b:2".to_owned()),
    ];
    assert_eq!(check(text), Ok(lines.to_vec()));
    assert_eq!(check("offer = 0"), Ok(vec![(1, "offer=0".to_owned())]));
    assert_eq!(check(""), Ok(Vec::new()));
    assert_eq!(check("# only remarks\n\n"), Ok(Vec::new()));
}

#[test]
fn a_relative_path_begins_at_the_folder_of_the_file() {
    let lines = check("data = \"../disk\"\nrecord = \"/var/r\"").unwrap();
    assert_eq!(lines[0].1, "data=/home/of/nodes/../disk");
    assert_eq!(lines[1].1, "record=/var/r");
    wrong("data = \"~/disk\"", 1, "write the whole path");
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    wrong("\n\nofer = \"1GB\"", 3, "'offer'");
    wrong("scrub_days = 3", 1, "'scrub-days'");
    wrong("--grace = \"3m\"", 1, "'grace'");
    wrong("Grace = \"3m\"", 1, "'grace'");
    wrong("mdns = false", 1, "'no-mdns'");
    let far = check("zebra = 1").unwrap_err();
    assert_eq!(far[0].1, "there is no setting 'zebra'");
    // Which file is read cannot be said in the file.
    wrong("config = \"/x\"", 1, "no setting 'config'");
}

#[test]
fn a_wrong_value_is_refused_with_what_is_accepted() {
    wrong("offer = \"100 km\"", 1, "100GB");
    wrong("offer = 100", 1, "needs its unit");
    wrong("scrub-rate = 1.5", 1, "needs its unit");
    wrong("grace = 10", 1, "grace = \"30m\"");
    wrong("scrub-days = \"soon\"", 1, "number of days");
    wrong("bits = 0x10", 1, "bits = 16");
    wrong("bits = 129", 1, "3 to 128");
    wrong("classic = \"true\"", 1, "without quotes");
    wrong("classic = 1", 1, "without quotes");
    wrong("node = 2000", 1, "127.0.0.1:2000");
    wrong("node = 1979-05-27", 1, "127.0.0.1:2000");
    wrong("join = [1]", 1, "join = [");
    wrong("log = \"a=b=c\"", 1, "log filter");
    wrong("ring-name = \"\"", 1, "nothing in it");
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    wrong("# x\noffer = 100GB # big", 2, "offer = \"100GB\"");
    wrong("grace = 10m", 1, "grace = \"10m\"");
    wrong("offer = \"1GB\"\noffer = \"2GB\"", 2, "duplicate");
    wrong("bits = 3\noffer", 2, "no TOML");
    wrong("bits = 3\noffer = \"1GB", 2, "no TOML");
    wrong("bits = 3\n[node]\nhttp = \"127.0.0.1:1\"", 2, "section");
    wrong("node.http = 3", 1, "section");
}

#[test]
fn all_that_is_wrong_is_found() {
    let wrong = check("ofer = 1\nbits = 3\ngrace = 4\n").unwrap_err();
    let lines: Vec<_> = wrong.iter().map(|wrong| wrong.0).collect();
    assert_eq!(lines, [3, 1]);
}

#[test]
fn the_home_cannot_be_moved_from_inside() {
    wrong("home = \"/elsewhere\"", 1, "--config");
    let named = Place::Named(PathBuf::from("/etc/chordal/chordal.toml"));
    assert!(understand("home = \"/elsewhere\"", &named).is_ok());
}

#[test]
fn only_a_file_that_nobody_named_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chordal.toml");
    assert!(Place::Home(path.clone()).read().unwrap().is_none());
    let below_a_file = path.join(FILE_NAME);
    let told = |trouble: Trouble| (trouble.exit(), trouble.paragraph());
    let (exit, what) = told(Place::Named(path.clone()).read().unwrap_err());
    assert!(
        exit == Exit::Usage && what.contains("it is not there"),
        "{what}"
    );
    std::fs::create_dir(&path).unwrap();
    let (_, what) = told(Place::Home(path.clone()).read().unwrap_err());
    assert!(what.contains("it is a folder"), "{what}");
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, "#".repeat(70_000)).unwrap();
    let (_, what) = told(Place::Home(path.clone()).read().unwrap_err());
    assert!(what.contains("64 KiB"), "{what}");
    std::fs::write(&path, b"log = \"\xff\"").unwrap();
    let (_, what) = told(Place::Home(path.clone()).read().unwrap_err());
    assert!(what.contains("UTF-8"), "{what}");
    assert!(Place::Home(below_a_file).read().unwrap().is_none());
    std::fs::write(&path, "ofer = 1\nbitz = 2\n").unwrap();
    let (_, what) = told(Place::Home(path.clone()).read().unwrap_err());
    assert!(
        what.starts_with(&format!("{}:1: there is no", path.display())),
        "{what}"
    );
    assert!(what.contains("One more line is wrong"), "{what}");
    std::fs::write(&path, "log = \"\\u001b[31mred=a=b\"\n").unwrap();
    let (_, what) = told(Place::Home(path).read().unwrap_err());
    assert!(!what.contains('\u{1b}'), "{what}");
}
