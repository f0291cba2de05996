use std::fs;
use std::path::PathBuf;

use super::data::Data;
use super::{Effort, FIGURES, figure, fill, picture_names};

const QUICK: Effort = Effort {
    seed: 1,
    quick: true,
};

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Measures a figure quickly and draws it.
fn quick(name: &str) -> Data {
    let figure = figure(name).unwrap();
    let data = (figure.measure)(QUICK).unwrap();
    assert!(!data.rows.is_empty());
    assert_eq!(Data::read(&data.csv()).unwrap(), data);
    for plot in (figure.draw)(&data) {
        let points: usize = plot.lines.iter().map(|line| line.points.len()).sum();
        assert!(points > 0, "'{}' shows nothing", plot.title);
    }
    data
}

fn numbers(data: &Data, column: &str) -> Vec<f64> {
    let cells = data.rows.iter().map(|row| data.cell(row, column).unwrap());
    cells.map(|cell| cell.parse().unwrap()).collect()
}

#[test]
fn every_lookup_on_a_ring_at_rest_ends_at_the_owner() {
    let data = quick("path");
    for row in &data.rows {
        assert_eq!(data.cell(row, "right"), Some("400 of 400"), "{row:?}");
    }
    let paths = numbers(&data, "mean path");
    assert!(paths.iter().all(|&path| path < 2.2), "{paths:?}");
}

#[test]
fn every_lookup_after_simultaneous_failures_ends_at_the_owner() {
    let data = quick("failures");
    for row in &data.rows {
        assert_eq!(data.cell(row, "right"), Some("300 of 300"), "{row:?}");
    }
    let timeouts = numbers(&data, "time-outs");
    assert!(timeouts[0] < 1e-9 && timeouts[5] > 0.1, "{timeouts:?}");
}

#[test]
fn no_lookup_fails_while_a_few_nodes_come_and_go() {
    let data = quick("churn");
    for row in &data.rows {
        let failed = data.cell(row, "failed").unwrap();
        assert!(failed.starts_with("0 of "), "{row:?}");
    }
}

#[test]
fn more_tokens_make_loads_more_even() {
    let most = numbers(&quick("balance"), "most over mean");
    assert!(most[0] > 2.0 * most[5], "{most:?}");
}

#[test]
fn ten_lookups_at_once_agree() {
    let agreed = numbers(&quick("agreement"), "agreed %");
    assert!(agreed.iter().all(|&percent| percent > 97.0), "{agreed:?}");
}

#[test]
fn the_first_node_asked_owns_the_key_on_a_ring_with_whole_tables() {
    let first = numbers(&quick("first-contact"), "first contact %");
    assert!(first.iter().all(|&percent| percent > 97.0), "{first:?}");
}

#[test]
fn lists_are_right_soon_after_neighbours_are() {
    let data = quick("rounds");
    let rounds = numbers(&data, "lists right after another");
    let bound = numbers(&data, "bound (r - 1)");
    let within = rounds
        .iter()
        .zip(&bound)
        .all(|(rounds, bound)| rounds <= bound);
    assert!(within, "{rounds:?} of {bound:?}");
}

#[test]
fn two_rings_become_one_within_half_a_minute() {
    let most = numbers(&quick("merge"), "most seconds");
    assert!(most.iter().all(|&seconds| seconds < 30.0), "{most:?}");
}

#[test]
fn the_page_and_the_pictures_follow_from_the_committed_rows() {
    let page = fs::read_to_string(docs().join("figures.md")).unwrap();
    for figure in FIGURES {
        let rows = docs().join(format!("figures/{}.csv", figure.name));
        let Ok(rows_text) = fs::read_to_string(&rows) else {
            let name = figure.name;
            let empty = format!("<!-- figure {name}: begin -->\n<!-- figure {name}: end -->");
            assert!(page.contains(&empty), "{name} has a table and no rows");
            continue;
        };
        let data = Data::read(&rows_text).unwrap();
        let filled = fill(&page, figure, &data).unwrap();
        assert!(
            filled == page,
            "docs/figures.md is not what {} says",
            rows.display()
        );
        for (plot, file) in (figure.draw)(&data).iter().zip(picture_names(figure)) {
            let picture = fs::read_to_string(docs().join("figures").join(&file)).unwrap();
            assert!(
                picture == plot.svg(),
                "{file} is not what {} says",
                rows.display()
            );
        }
    }
}

#[test]
fn a_figure_that_is_not_there_is_named_with_those_that_are() {
    let error = figure("no such").unwrap_err().to_string();
    assert!(error.contains("no such") && error.contains("path"));
}

#[test]
fn two_holders_say_little_when_they_have_the_same_and_more_when_more_differs() {
    let data = quick("reconcile");
    let bytes = numbers(&data, "bytes");
    let messages = numbers(&data, "messages");
    assert!(bytes[0] <= 1024.0, "{bytes:?}");
    assert!(
        messages[0] < 8.5,
        "a question and an answer for each arc: {messages:?}"
    );
    assert!(bytes[0] < bytes[1] && bytes[1] < bytes[2], "{bytes:?}");
    let by_product = data.cell(&data.rows[2], "bytes by d log2 n").unwrap();
    assert!(by_product.parse::<f64>().unwrap() < 400.0, "{by_product}");
    let brought = numbers(&data, "bytes that bring it");
    assert!(brought[0] < 0.5 && brought[2] > 100.0 * 50.0, "{brought:?}");
}
