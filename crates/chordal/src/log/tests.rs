use std::sync::mpsc::channel;

use super::*;

#[test]
fn a_line_is_told_once_and_as_a_whole() {
    let (sender, told) = channel();
    print_through(Some(Box::new(move |text| drop(sender.send(text)))));
    tell("· node eda03b4d is in the ring");
    print_through(None);
    let told: Vec<String> = told.iter().collect();
    assert_eq!(told, ["· node eda03b4d is in the ring\n"]);
}
