use super::*;

fn prefix(text: &str) -> (String, String) {
    let prefix = Prefix::parse(text).unwrap();
    (prefix.space, prefix.path)
}

#[test]
fn a_prefix_may_be_empty_and_may_name_a_space() {
    for (text, space, path) in [
        ("", "main", ""),
        ("a", "main", "a"),
        ("a/b", "main", "a/b"),
        ("photos:", "photos", ""),
        ("photos:2024/", "photos", "2024/"),
        ("photos:a:", "photos", "a:"),
        ("12:", "main", "12:"),
        ("x", "main", "x"),
        ("photos:x", "photos", "x"),
        ("A:", "main", "A:"),
    ] {
        assert_eq!(prefix(text), (space.into(), path.into()), "{text}");
    }
}

#[test]
fn a_prefix_and_a_path_are_joined_by_one_slash() {
    for (text, name) in [
        ("photos:", "photos:a/b"),
        ("photos:2024", "photos:2024/a/b"),
        ("photos:2024/", "photos:2024/a/b"),
    ] {
        let joined = Prefix::parse(text).unwrap().join("a/b").unwrap();
        assert_eq!(joined.to_string(), name);
    }
}

#[test]
fn only_a_space_makes_a_place() {
    for (text, place) in [
        ("photos:", true),
        ("photos:a/b", true),
        ("C:\\x", false),
        ("12:30", false),
        ("a", false),
        ("Photos:", false),
    ] {
        assert_eq!(is_place(text), place, "{text}");
    }
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let name = |text: &str| Name::in_main(text).unwrap();
    for bad in [
        "..",
        "a/..",
        "../x",
        "a//b",
        "/etc/passwd",
        "a/./b",
        "a/",
        "a\0b",
    ] {
        assert!(local_path(&name(bad), "").is_err(), "{bad:?}");
    }
    for bad in ["..", "a/..", "a/", "."] {
        assert!(local_file(&name(bad)).is_err(), "{bad:?}");
    }
    assert_eq!(local_file(&name("../x")).unwrap(), "x");
    assert_eq!(
        local_path(&name("a/b/..c"), "").unwrap(),
        Path::new("a/b/..c")
    );
}

#[test]
fn a_folder_is_fetched_under_its_own_name() {
    let name = |text: &str| Name::in_main(text).unwrap();
    let path = |text: &str, prefix: &str| local_path(&name(text), prefix).unwrap();
    assert_eq!(
        path("photos/2024/a.jpg", "photos"),
        Path::new("photos/2024/a.jpg")
    );
    assert_eq!(
        path("photos/2024/a.jpg", "photos/"),
        Path::new("2024/a.jpg")
    );
    assert_eq!(
        path("photos/2024/a.jpg", "photos/20"),
        Path::new("2024/a.jpg")
    );
    assert_eq!(
        path("photos/2024/a.jpg", ""),
        Path::new("photos/2024/a.jpg")
    );
}

#[test]
fn a_name_has_what_lies_below_it_as_a_folder_has_and_not_what_begins_alike() {
    let has = |prefix: &str, path: &str| Prefix::parse(prefix).unwrap().has(path);
    for (prefix, path) in [
        ("a", "a"),
        ("a", "a/b"),
        ("a/", "a/b"),
        ("pics:a", "a/b/c"),
        ("pics:", "anything"),
        ("", "anything"),
    ] {
        assert!(has(prefix, path), "{prefix} {path}");
    }
    for (prefix, path) in [("a", "ab"), ("a", "ab/c"), ("a/", "a"), ("a/b", "a")] {
        assert!(!has(prefix, path), "{prefix} {path}");
    }
}
