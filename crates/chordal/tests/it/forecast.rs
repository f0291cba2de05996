//! What the program foretells of a ring, and what it refuses to foretell.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Home, Node, PATIENCE};

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Waits until every node has compared all its arcs: only then its copies count.
fn counted(home: &Home, nodes: &[Node; 3]) {
    let begun = Instant::now();
    while nodes[0].api(home, "/v1/risk")["counted"] != 3 {
        assert!(begun.elapsed() < PATIENCE, "three nodes never count");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_if_names_the_files_that_deaths_would_lose_and_counts_the_others() {
    let home = Home::new();
    let nodes = home.ring_of_three(&[]);
    let rings: Vec<&str> = nodes.iter().map(|node| node.ring.as_str()).collect();
    let at = ["--node", rings[0]];
    for number in 0..3 {
        let file = home.file(&format!("file {number}"), b"some words");
        home.ok(&["put", file.to_str().unwrap(), at[0], at[1]]);
    }
    let big = home.file("big", &vec![7; 3 << 20]);
    home.ok(&["put", big.to_str().unwrap(), at[0], at[1]]);

    counted(&home, &nodes);
    let one = lines(&home.ok(&["whatif", rings[1], "--json", at[0], at[1]]).out);
    let summary = one.last().unwrap();
    assert_eq!(summary["lost"]["files"], 0, "{summary}");
    assert_eq!(summary["short"]["files"], 4);
    assert_eq!(summary["short_by_left"]["2"], 4);
    assert_eq!(
        (&summary["names"], &summary["cut"]),
        (&4.into(), &false.into())
    );
    assert_eq!(one.len(), 5, "a line for each file that would not be whole");

    let two = home.ok(&["whatif", rings[1], rings[2], at[0], at[1]]).out;
    assert!(
        two.contains("4 with 1 copy") && two.contains("minority"),
        "{two}"
    );
    assert!(two.contains("Nothing would be lost"), "{two}");

    let all = ["whatif", rings[0], rings[1], rings[2], at[0], at[1]];
    let words = home.ok(&all).out;
    assert!(
        words.contains("big  (") && words.contains("safer"),
        "{words}"
    );
    let part = [&all[..], &["--names", "2", "--json"]].concat();
    let part = lines(&home.ok(&part).out);
    assert_eq!(part.last().unwrap()["cut"], true);
    assert_eq!(part.len(), 3);
    let prefix = [&all[..], &["--in", "big", "--json"]].concat();
    assert_eq!(lines(&home.ok(&prefix).out)[0]["name"], "big");

    let nobody = home.run(&["whatif", "127.0.0.1:1", at[0], at[1]]);
    assert_eq!(nobody.code, 3, "{nobody:?}");
    let nonsense = home.run(&["whatif", "xyz", at[0], at[1]]);
    assert_eq!(nonsense.code, 2, "{nonsense:?}");
}

#[test]
fn a_plan_says_what_moves_how_long_it_takes_and_what_that_rests_on() {
    let home = Home::new();
    let nodes = home.ring_of_three(&[]);
    let at = ["--node", nodes[0].ring.as_str()];
    let big = home.file("big", &vec![7; 3 << 20]);
    home.ok(&["put", big.to_str().unwrap(), at[0], at[1]]);

    let leave = home
        .ok(&["plan", "leave", &nodes[2].ring, at[0], at[1]])
        .out;
    assert!(
        leave.contains("2 copies of everything instead of 3"),
        "{leave}"
    );
    let join = ["plan", "join", "--offer", "10GiB", "--json", at[0], at[1]];
    let plan = &lines(&home.ok(&join).out)[0];
    assert_eq!(
        (&plan["change"], &plan["rate_is"]),
        (&"join".into(), &"budget".into())
    );
    assert!(plan["bytes"].as_u64().unwrap() > 0, "{plan}");
    assert_eq!(plan["nodes"][3]["id"], Value::Null);
    let slowly = [&join[..], &["--rate", "1KiB"]].concat();
    let slowly = &lines(&home.ok(&slowly).out)[0];
    assert_eq!(slowly["rate_is"], "said");
    assert!(slowly["seconds"].as_u64().unwrap() > 100, "{slowly}");
    let nobody = home.run(&["plan", "leave", "127.0.0.1:1", at[0], at[1]]);
    assert_eq!(nobody.code, 3, "{nobody:?}");
}
