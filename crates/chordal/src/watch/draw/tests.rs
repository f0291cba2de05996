use chordal_web::api::TimelineEvent;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::super::example::{mending, right, scene};
use super::super::feed::News;
use super::super::keys::Key;
use super::*;

fn view(scene: chordal_web::api::Scene) -> View {
    let mut view = View::new(true);
    let nodes = scene.ring.nodes.len();
    view.take(News::Scene(Box::new(scene)));
    view.take(News::Checked(Box::new(right(nodes))));
    view
}

fn buffer(view: &mut View, columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    terminal.backend().buffer().clone()
}

/// What is on the screen, line by line.
fn lines(view: &mut View, columns: u16, rows: u16) -> Vec<String> {
    let buffer = buffer(view, columns, rows);
    let line = |row| {
        let cells = (0..columns).map(|column| buffer[(column, row)].symbol().to_owned());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..rows).map(line).collect()
}

fn event(second: u8) -> TimelineEvent {
    TimelineEvent {
        at: format!("2026-01-01T00:00:{second:02}Z"),
        node: "0123456789abcdef".into(),
        addr: Some("192.168.100.200:50001".into()),
        what: "suspected".into(),
        tokens: Vec::new(),
    }
}

#[test]
fn everything_about_a_ring_of_five_is_on_a_small_screen() {
    let mut view = view(scene(5));
    view.take(News::Lately((0..20).map(event).collect()));
    let lines = lines(&mut view, 80, 24);
    let all = lines.join("\n");
    assert!(
        lines[0].starts_with("chordal · 5 nodes · whole · 35.0 GiB used of 500.0 GiB"),
        "{all}"
    );
    for words in [
        "unplug  yes, any one node. Every file has its 3 copies",
        "repair  nothing to do",
        "check   right: 5 nodes, 40 tokens, every pointer as it should be",
        "● 00000000  192.168.100.200:50000  alive     7.0 GiB of 100.0 GiB",
        "(asked)",
        "lately",
        "does not answer",
        "q ends",
    ] {
        assert!(all.contains(words), "{words} is missing:\n{all}");
    }
    assert!(lines[23].starts_with("q ends"), "{all}");
    let newest = lines
        .iter()
        .position(|line| line.contains("lately"))
        .unwrap()
        + 1;
    assert!(
        lines[newest].contains(":19  01234567"),
        "the newest comes first:\n{all}"
    );
}

#[test]
fn repair_shows_its_rate_the_time_left_and_a_bar() {
    let all = lines(&mut view(mending(5)), 80, 24).join("\n");
    for words in [
        "5 nodes, 1 node silent",
        "30 copies missing, 7.5 a second, 4 s left",
        "[████████████████······] 75 %",
        "no. 30 copies missing",
        "suspect",
        "? of 100.0 GiB",
        "lacks 30",
        "192.168.100.200:50001 does not answer",
    ] {
        assert!(all.contains(words), "{words} is missing:\n{all}");
    }
}

#[test]
fn a_wide_screen_shows_more_nodes_more_events_and_bars() {
    let mut view = view(scene(30));
    view.take(News::Lately((0..20).map(event).collect()));
    let lines = lines(&mut view, 200, 50);
    let all = lines.join("\n");
    assert!(lines[0].ends_with("asked 192.168.100.200:50000"), "{all}");
    assert!(all.contains("[█·") || all.contains("[··"), "{all}");
    let nodes = lines.iter().filter(|line| line.contains("alive")).count();
    assert!(nodes >= 15, "{all}");
}

#[test]
fn the_list_scrolls_to_its_last_node_and_no_further() {
    let mut view = view(scene(300));
    let first = lines(&mut view, 80, 24).join("\n");
    assert!(
        first.contains("(0 above, ") && first.contains("● 00000000"),
        "{first}"
    );
    view.press(Key::Last);
    let last = lines(&mut view, 80, 24).join("\n");
    assert!(
        last.contains("● 012b012b") && last.contains(", 0 below)"),
        "{last}"
    );
    view.press(Key::Rows(5));
    assert_eq!(lines(&mut view, 80, 24).join("\n"), last);
    view.press(Key::Pages(-100));
    assert_eq!(lines(&mut view, 80, 24).join("\n"), first);
    // On a larger screen there is less to scroll.
    view.press(Key::Last);
    let large = lines(&mut view, 80, 400).join("\n");
    assert!(
        large.contains("● 00000000") && large.contains("● 012b012b"),
        "{large}"
    );
}

#[test]
fn without_colours_nothing_is_coloured_and_with_them_states_are() {
    let mut plain = view(mending(5));
    plain.colours = false;
    let is_coloured = |buffer: &Buffer| {
        let mut cells = buffer.content().iter();
        cells.any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(!is_coloured(&buffer(&mut plain, 80, 24)));
    assert!(is_coloured(&buffer(&mut view(mending(5)), 80, 24)));
}

#[test]
fn a_node_that_went_away_is_said_to_be_and_what_was_known_stays() {
    let mut view = view(scene(5));
    view.take(News::Away("no node answers at 127.0.0.1:1".into()));
    view.take(News::Away("another reason".into()));
    let all = lines(&mut view, 80, 24).join("\n");
    assert!(
        all.contains("the node is away since ") && all.contains("no node answers"),
        "{all}"
    );
    assert!(all.contains("● 00000000"), "{all}");
    view.take(News::Scene(Box::new(scene(5))));
    assert!(!lines(&mut view, 80, 24).join("\n").contains("away"));
}

#[test]
fn the_help_takes_the_place_of_the_list_and_goes_again() {
    let mut view = view(scene(5));
    view.press(Key::Help);
    let all = lines(&mut view, 80, 24).join("\n");
    assert!(
        all.contains("walk the ring now") && !all.contains("● 00000000"),
        "{all}"
    );
    view.press(Key::Help);
    assert!(lines(&mut view, 80, 24).join("\n").contains("● 00000000"));
}

#[test]
fn no_screen_is_too_small_to_be_drawn_on() {
    for (columns, rows) in [(1, 1), (5, 3), (20, 4), (40, 10), (80, 6)] {
        drop(buffer(&mut view(mending(30)), columns, rows));
        drop(buffer(&mut View::new(true), columns, rows));
    }
}

#[test]
fn what_a_name_hides_is_shown_and_not_obeyed() {
    let mut scene = scene(3);
    scene.ring.name = "\u{1b}[2Jx".into();
    let all = lines(&mut view(scene), 80, 24).join("\n");
    assert!(all.contains("\\u{1b}[2Jx"), "{all}");
}
