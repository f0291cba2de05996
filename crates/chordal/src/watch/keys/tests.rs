use ratatui::crossterm::event::KeyEvent;

use super::*;

fn typed(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
    meaning(&Event::Key(KeyEvent::new(code, modifiers)))
}

#[test]
fn q_and_the_interrupt_key_end_and_other_control_keys_do_nothing() {
    assert_eq!(
        typed(KeyCode::Char('q'), KeyModifiers::NONE),
        Some(Key::Quit)
    );
    assert_eq!(
        typed(KeyCode::Char('c'), KeyModifiers::CONTROL),
        Some(Key::Quit)
    );
    assert_eq!(
        typed(KeyCode::Char('c'), KeyModifiers::NONE),
        Some(Key::Check)
    );
    assert_eq!(typed(KeyCode::Char('k'), KeyModifiers::CONTROL), None);
    assert_eq!(typed(KeyCode::Enter, KeyModifiers::NONE), None);
    assert_eq!(meaning(&Event::Resize(80, 24)), Some(Key::Resized));
}
