//! What to type: examples for every command, shown by `--help`, the manual pages and the reference.

/// A line that can be typed as it is, and what it does.
pub(crate) type Example = (&'static str, &'static str);

/// The examples of a command, by what is typed behind `chordal`; none of the program itself.
pub(crate) fn of(path: &str) -> &'static [Example] {
    let found = EXAMPLES.iter().find(|(command, _)| *command == path);
    found.map_or(&[], |(_, examples)| examples)
}

/// What somebody types who has never seen the program.
pub(crate) static FIRST_STEPS: &[Example] = &[
    ("chordal demo", "see it work, 30 seconds, nothing is kept"),
    ("chordal up", "start a node"),
    ("chordal put FILE", "store a file"),
    (
        "chordal join CODE",
        "on another machine: enter the ring that `chordal invite` made the code of",
    ),
];

/// They are parsed by a test. `CODE`, `NODE` and `VERSION` stand for what other commands print.
static EXAMPLES: &[(&str, &[Example])] = &[
    (
        "node",
        &[
            ("chordal node", "a node with its menu, at 127.0.0.1 2000"),
            (
                "chordal node 127.0.0.1 5001 --join 127.0.0.1:5000",
                "a second node of this machine joins the first",
            ),
            (
                "chordal node 192.0.2.7 2000 --no-menu --offer 100GB",
                "for scripts, with a part of the disk",
            ),
            ("chordal node --classic", "a ring for the blackboard"),
        ],
    ),
    (
        "up",
        &[
            (
                "chordal up",
                "a node for real use; alone, it prints how a second machine gets in",
            ),
            (
                "chordal up --offer 100GB --data /srv/disk1/chordal",
                "with a part of another disk",
            ),
            ("chordal up --join CODE", "the same in the ring of the code"),
        ],
    ),
    (
        "put",
        &[
            ("chordal put photo.jpg", "stored as main:photo.jpg"),
            (
                "chordal put -r Photos photos:2026/",
                "a folder, into the space photos",
            ),
            (
                "chordal put - --as notes/today",
                "what comes on standard input",
            ),
            (
                "chordal put photo.jpg --receipt photo.receipt",
                "with what its holders sign, for `chordal verify`",
            ),
            (
                "chordal put lock --if-absent",
                "of many that try at once, one succeeds",
            ),
        ],
    ),
    (
        "verify",
        &[
            (
                "chordal verify photo.receipt",
                "is it still on enough nodes?",
            ),
            (
                "chordal verify photo.receipt --bytes photo.jpg --deep",
                "is it this file, read again by every holder?",
            ),
            (
                "chordal verify photo.receipt --offline",
                "the signatures alone",
            ),
        ],
    ),
    (
        "get",
        &[
            ("chordal get photo.jpg", "into the current folder"),
            (
                "chordal get photos:2026/a.jpg - --force",
                "to standard output",
            ),
            (
                "chordal get -r photos:2026/ Photos",
                "every file with that prefix",
            ),
        ],
    ),
    (
        "cat",
        &[(
            "chordal cat notes/today notes/yesterday",
            "one after the other",
        )],
    ),
    (
        "ls",
        &[
            ("chordal ls", "the space main"),
            ("chordal ls -l photos:2026/", "with size, date and hash"),
            ("chordal ls -0 notes/", "for xargs -0"),
        ],
    ),
    ("stat", &[("chordal stat photo.jpg", "size, hash, version")]),
    (
        "rm",
        &[
            ("chordal rm photo.jpg", "one file"),
            ("chordal rm -r photos:2025/", "every file with that prefix"),
            (
                "chordal rm notes/today --if-version VERSION",
                "only if nobody has changed it",
            ),
        ],
    ),
    (
        "join",
        &[
            (
                "chordal join CODE",
                "on another machine: with what `chordal invite` printed",
            ),
            (
                "chordal join -",
                "the code comes on standard input, out of sight of others",
            ),
            (
                "chordal join 192.0.2.7:2000",
                "the running node goes to that node's ring",
            ),
        ],
    ),
    (
        "invite",
        &[
            ("chordal invite", "for one machine, within an hour"),
            ("chordal invite --uses 20 --for 2d", "for a class"),
        ],
    ),
    (
        "leave",
        &[("chordal leave", "returns when everything is elsewhere")],
    ),
    (
        "forget",
        &[(
            "chordal forget 192.0.2.9:2000",
            "that machine will not come back",
        )],
    ),
    (
        "expel",
        &[("chordal expel 3f2a91c4", "by the first digits of its id")],
    ),
    ("members", &[("chordal members --json", "for a script")]),
    (
        "risk",
        &[("chordal risk", "what one, two or three deaths would lose")],
    ),
    (
        "whatif",
        &[(
            "chordal whatif 192.0.2.7:2000 3f2a91c4",
            "these two at once",
        )],
    ),
    (
        "plan",
        &[
            (
                "chordal plan join --offer 500GB",
                "what a new node would fetch",
            ),
            ("chordal plan leave 3f2a91c4", "what would move if it left"),
        ],
    ),
    (
        "plan join",
        &[(
            "chordal plan join --offer 500GB --rate 50MiB",
            "at that pace",
        )],
    ),
    (
        "plan leave",
        &[(
            "chordal plan leave 192.0.2.7:2000 192.0.2.8:2000",
            "one after the other",
        )],
    ),
    (
        "open",
        &[
            ("chordal open", "a link that works once, and the browser"),
            ("chordal open --no-browser", "the link alone"),
        ],
    ),
    (
        "status",
        &[
            ("chordal status", "of the node that runs here"),
            ("chordal status --watch", "as it changes, until q"),
            (
                "chordal status --node 127.0.0.1:5001 --json",
                "of another one of this home, for a script",
            ),
        ],
    ),
    ("ring", &[("chordal ring", "every node and its share")]),
    (
        "check",
        &[
            ("chordal check", "now"),
            (
                "chordal check --wait 60 --nodes 5",
                "until five nodes are one right ring",
            ),
        ],
    ),
    (
        "fingers",
        &[("chordal fingers", "one table for each of the node's tokens")],
    ),
    (
        "where",
        &[("chordal where photo.jpg", "the hops, and who holds it")],
    ),
    (
        "demo",
        &[
            ("chordal demo", "half a minute, then a ring to play with"),
            (
                "chordal demo --size 100MB --leave",
                "a bigger file, and end",
            ),
        ],
    ),
    (
        "bench",
        &[
            ("chordal bench --quick", "a look"),
            (
                "chordal bench --ring 16 --kill 3",
                "how soon a ring is right, and right again",
            ),
        ],
    ),
    (
        "sim",
        &[
            (
                "chordal sim --nodes 100 --seed 7 --churn 60s --loss 1%",
                "one ring, the same every time",
            ),
            (
                "chordal sim files --seeds 1..=20",
                "files, faults and every promise about them",
            ),
        ],
    ),
    (
        "sim ring",
        &[(
            "chordal sim ring --seeds 1..=1000",
            "as many at once as there are processors",
        )],
    ),
    (
        "sim files",
        &[(
            "chordal sim files --seeds 1..=10 --down 2 --faults all",
            "with two nodes down at once",
        )],
    ),
    (
        "sim mistakes",
        &[("chordal sim mistakes", "how soon each is noticed")],
    ),
    (
        "sim million",
        &[("chordal sim million --nodes 100000", "in a gigabyte or two")],
    ),
    (
        "sim replay",
        &[(
            "chordal sim replay node.record node.record.1",
            "what `--record` wrote",
        )],
    ),
    (
        "sim figures",
        &[(
            "chordal sim figures all --quick",
            "every figure, not precise",
        )],
    ),
    (
        "sim model",
        &[("chordal sim model --bounded", "a minute of worlds")],
    ),
    (
        "sim registers",
        &[(
            "chordal sim registers",
            "what readers find while holders change",
        )],
    ),
    (
        "sim traffic",
        &[(
            "chordal sim traffic --nodes 100 --session 3600",
            "nodes stay an hour",
        )],
    ),
    (
        "config",
        &[
            ("chordal config", "what is in force"),
            (
                "chordal config --offer 100GB --json",
                "with a flag of a node, for a script",
            ),
            ("chordal config --example", "a file to begin with"),
        ],
    ),
    (
        "completions",
        &[(
            "chordal completions bash",
            "to standard output, for a file in the folder of the shell",
        )],
    ),
    (
        "man",
        &[
            ("chordal man", "the page of the program"),
            (
                "chordal man /usr/local/share/man/man1",
                "a page for every command",
            ),
        ],
    ),
];
