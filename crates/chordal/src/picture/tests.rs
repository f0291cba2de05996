use chordal_web::api::{NodeHealth, PicturedNode, PicturedToken};

use super::*;

fn ring(tokens: &[&[f64]]) -> RingPicture {
    let nodes = tokens
        .iter()
        .enumerate()
        .map(|(index, tokens)| PicturedNode {
            health: NodeHealth {
                id: format!("{index:064}"),
                addr: format!("127.0.0.1:{}", 5000 + index),
                state: if index == 2 { "suspect" } else { "alive" }.to_owned(),
                used_bytes: Some(1 << 30),
                offered_bytes: 1 << 40,
                scrub: None,
            },
            tokens: tokens
                .iter()
                .map(|&at| PicturedToken {
                    key: "1".into(),
                    at,
                })
                .collect(),
            share: 0.5,
            copies_wanted: None,
            handing_off: None,
        });
    RingPicture {
        name: "blackboard".into(),
        bits: 10,
        whole: true,
        problems: Vec::new(),
        nodes: nodes.collect(),
    }
}

#[test]
fn the_ring_fits_a_terminal_of_80_columns() {
    let many: Vec<&[f64]> = vec![&[0.5]; 40];
    for tokens in [&[][..], &[&[0.0, 0.25][..], &[0.5], &[0.75]], &many] {
        let lines = draw(&ring(tokens), Paint::none());
        assert!(lines.len() <= 20, "{}", lines.len());
        for line in lines {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn zero_is_at_the_top_and_keys_grow_clockwise() {
    let lines = draw(&ring(&[&[0.0], &[0.25], &[0.5], &[0.75]]), Paint::none());
    assert_eq!(lines[0].chars().nth(20), Some('A'));
    assert_eq!(lines[8].chars().nth(40), Some('B'));
    // A node that does not answer is drawn small.
    assert_eq!(lines[16].chars().nth(20), Some('c'));
    assert_eq!(lines[8].chars().next(), Some('D'));
}
