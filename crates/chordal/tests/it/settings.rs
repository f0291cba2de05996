//! The settings file, as people write it.

use chordal_node::{AuthorityId, InviteCode};

use crate::support::Home;

/// Puts the file into the home.
fn write(home: &Home, file: &str) {
    let folder = home.root().join("home");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("chordal.toml"), file).unwrap();
}

#[test]
fn a_node_heeds_the_file_of_its_home_and_leaves_it_as_it_is() {
    let home = Home::new();
    let file = "# mine\nring-name = \"attic\"\noffer = \"5MB\"\nlog = \"warn\"\n";
    write(&home, file);
    let node = home.node(&[]);
    let status = node.ok(&home, &["status", "--json"]).json();
    assert_eq!(status["ring"]["name"], "attic");
    assert_eq!(status["ring"]["nodes"][0]["offered_bytes"], 5_000_000);
    // A flag wins.
    let ring = node.ring.as_str();
    let other = home.node(&["--offer", "7MB", "--join", ring]);
    let status = other.ok(&home, &["status", "--json"]).json();
    let nodes = status["ring"]["nodes"].as_array().unwrap();
    let own = nodes.iter().find(|node| node["id"] == *other.id).unwrap();
    assert_eq!(own["offered_bytes"], 7_000_000);
    let path = home.root().join("home/chordal.toml");
    assert_eq!(std::fs::read_to_string(path).unwrap(), file);
}

#[test]
fn a_mistake_in_the_file_stops_the_start_and_names_the_line() {
    let home = Home::new();
    write(&home, "grace = \"5m\"\nofer = \"5MB\"\n");
    for args in [&["node", "--no-menu"][..], &["up"], &["ls"], &["config"]] {
        let ended = home.run(args);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
        let line = "chordal.toml:2: there is no setting 'ofer'; the nearest is 'offer'";
        assert!(ended.err.contains(line), "{ended:?}");
    }
    assert_eq!(home.run(&["config", "--json"]).error()["code"], "settings");
    assert!(!home.root().join("home/nodes").exists());
    home.ok(&["completions", "bash"]);
}

#[test]
fn config_tells_every_value_and_where_it_comes_from() {
    let home = Home::new();
    let addr = "192.0.2.1:2000".parse().unwrap();
    let code = InviteCode::fresh(&[addr], &AuthorityId([7; 32])).to_string();
    let file = format!("grace = \"5m\"\noffer = \"5MB\"\njoin = \"{code}\"\n");
    write(&home, &file);
    let mut command = home.command(&["config", "--json", "--bits", "12"]);
    let ended = command.env("CHORDAL_OFFER", "6MB").output().unwrap();
    let told = crate::support::Ended::of(ended).json();
    let path = home.root().join("home/chordal.toml").display().to_string();
    assert_eq!(told["file"], path);
    assert!(!told.to_string().contains(&code), "a code is a secret");
    let of = |name: &str| {
        let settings = told["settings"].as_array().unwrap();
        let found = settings.iter().find(|setting| setting["name"] == name);
        let found = found.unwrap();
        let word = |field: &str| found[field].as_str().map(str::to_owned);
        (
            found["value"][0].clone(),
            word("source").unwrap(),
            word("place"),
        )
    };
    let line = |line| Some(format!("{path}:{line}"));
    assert_eq!(of("grace"), ("5m".into(), "file".into(), line(1)));
    let variable = Some("CHORDAL_OFFER".to_owned());
    assert_eq!(of("offer"), ("6MB".into(), "variable".into(), variable));
    assert_eq!(of("bits"), ("12".into(), "flag".into(), None));
    assert_eq!(of("scrub-days"), ("14".into(), "default".into(), None));
    assert!(!told.to_string().contains("SECRET"), "{told}");
    let words = home.ok(&["config"]).out;
    assert!(
        words.contains("chordal.toml:1") && !words.contains("SECRET"),
        "{words}"
    );
}

#[test]
fn the_example_can_be_used_as_it_is() {
    let home = Home::new();
    let example = home.ok(&["config", "--example"]).out;
    write(&home, &example);
    let told = home.ok(&["config", "--json"]).json();
    let settings = told["settings"].as_array().unwrap();
    assert!(
        settings.iter().all(|setting| setting["source"] != "file"),
        "{told}"
    );
}
