use super::Data;

fn sample() -> Data {
    let mut data = Data::new(&["who", "p", "path"]);
    data.set("N = 1000, seeds 1 to 3");
    data.push(["ours".into(), "0.1".into(), "3.94".into()]);
    data.push(["paper".into(), "0.1".into(), "4.03".into()]);
    data.push(["ours".into(), "0.2".into(), String::new()]);
    data
}

#[test]
fn a_file_that_was_read_back_is_the_file_that_was_written() {
    let data = sample();
    assert_eq!(Data::read(&data.csv()).unwrap(), data);
}

#[test]
fn points_are_taken_from_the_rows_asked_for_where_both_cells_are_numbers() {
    let data = sample();
    assert_eq!(data.points(&[("who", "ours")], "p", "path"), [(0.1, 3.94)]);
    assert_eq!(data.points(&[("who", "nobody")], "p", "path"), []);
    assert_eq!(data.points(&[], "p", "no such column"), []);
}

#[test]
fn a_row_with_a_cell_too_few_is_refused() {
    assert!(Data::read("a,b\n1,2\n3\n").is_err());
    assert!(Data::read("# only a fact\n").is_err());
}

#[test]
fn a_table_has_a_rule_below_its_columns() {
    let text = sample().markdown();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "- N = 1000, seeds 1 to 3");
    assert_eq!(lines[2], "| who | p | path |");
    assert_eq!(lines[3], "| --- | --- | --- |");
    assert_eq!(lines[4], "| ours | 0.1 | 3.94 |");
}
