use super::fill;
use crate::figures::Figure;
use crate::figures::data::Data;
use crate::figures::plot::{Axis, Plot, Scale};

fn drawn(_: &Data) -> Vec<Plot> {
    let axis = || Axis {
        label: String::new(),
        scale: Scale::Linear,
    };
    let plot = |title: &str| Plot {
        title: title.to_owned(),
        x: axis(),
        y: axis(),
        lines: Vec::new(),
    };
    vec![plot("Hops"), plot("Time-outs")]
}

const SAMPLE: Figure = Figure {
    name: "path",
    title: "Path length",
    measure: |_| Ok(Data::default()),
    draw: drawn,
};

#[test]
fn only_the_part_between_the_marks_changes() {
    let page = "Words.\n<!-- figure path: begin -->\nold\n<!-- figure path: end -->\nMore words.\n";
    let mut data = Data::new(&["N"]);
    data.push(["8".into()]);
    let filled = fill(page, &SAMPLE, &data).unwrap();
    assert!(filled.starts_with("Words.\n<!-- figure path: begin -->\n"));
    assert!(filled.ends_with("<!-- figure path: end -->\nMore words.\n"));
    assert!(filled.contains("| 8 |") && !filled.contains("old"));
    assert!(filled.contains("![Hops](figures/path.svg)"));
    assert!(filled.contains("![Time-outs](figures/path-2.svg)"));
    assert_eq!(fill(&filled, &SAMPLE, &data).unwrap(), filled);
}

#[test]
fn a_page_without_marks_is_refused() {
    assert!(fill("Words.", &SAMPLE, &Data::new(&["N"])).is_err());
}
