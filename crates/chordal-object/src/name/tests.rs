use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn a_bare_path_is_in_main() {
    assert_eq!(name("a/b.txt"), Name::new("main", "a/b.txt").unwrap());
    assert_eq!(
        name("photos:cat.jpg"),
        Name::new("photos", "cat.jpg").unwrap()
    );
}

#[test]
fn what_cannot_be_a_space_is_part_of_the_path() {
    assert_eq!(name("12:30"), Name::in_main("12:30").unwrap());
    assert_eq!(name("C:\\x"), Name::in_main("C:\\x").unwrap());
    assert_eq!(name("main:photos:a"), Name::in_main("photos:a").unwrap());
    assert_eq!(name("main:photos:a").to_string(), "main:photos:a");
}

#[test]
fn any_characters_are_a_path() {
    for path in [
        "..",
        "../../etc/passwd",
        "a b",
        "a\nb",
        "😀",
        "/",
        "\u{0}",
        &"x".repeat(1024),
    ] {
        assert_eq!(name(path).path(), path);
    }
}

#[test]
fn lengths_are_bounded() {
    assert_eq!("".parse::<Name>(), Err(NameError::PathLength(0)));
    assert_eq!(
        "x".repeat(1025).parse::<Name>(),
        Err(NameError::PathLength(1025))
    );
    assert_eq!("photos:".parse::<Name>(), Err(NameError::PathLength(0)));
}

#[test]
fn spaces_follow_the_bucket_rules() {
    for good in ["abc", "a-b.c", "0ab", &"a".repeat(63)] {
        assert!(Name::new(good, "x").is_ok(), "{good}");
    }
    for bad in [
        "ab",
        "Abc",
        "-ab",
        "ab-",
        "a..b",
        "a_b",
        "",
        &"a".repeat(64),
    ] {
        assert!(Name::new(bad, "x").is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_shown_name_reads_back(path in "\\PC{1,40}", space in "[a-z]{3,5}") {
        let name = Name::new(&space, &path).unwrap();
        prop_assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
        let bare = Name::in_main(&path).unwrap();
        prop_assert_eq!(bare.to_string().parse::<Name>().unwrap(), bare);
    }
}
