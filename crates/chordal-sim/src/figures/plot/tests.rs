use super::{Axis, Line, Plot, Scale, Source};

fn plot(x: Scale, y: Scale, points: &[(f64, f64)]) -> Plot {
    Plot {
        title: "Path length & time-outs".to_owned(),
        x: Axis {
            label: "nodes".to_owned(),
            scale: x,
        },
        y: Axis {
            label: "hops".to_owned(),
            scale: y,
        },
        lines: vec![
            Line {
                label: "measured".to_owned(),
                source: Source::Ours,
                points: points.to_vec(),
            },
            Line {
                label: "published <2003>".to_owned(),
                source: Source::Published,
                points: points.to_vec(),
            },
            Line {
                label: "formula".to_owned(),
                source: Source::Formula,
                points: points.to_vec(),
            },
        ],
    }
}

#[test]
fn ours_is_filled_and_published_is_hollow_and_a_formula_has_no_points() {
    let svg = plot(
        Scale::Linear,
        Scale::Linear,
        &[(0.0, 1.0), (1.0, 2.0), (2.0, 4.0)],
    )
    .svg();
    // three in the field and one in the legend, each
    assert_eq!(svg.matches("fill=\"currentColor\"/>").count(), 4);
    assert_eq!(svg.matches("class=\"hollow c1\"").count(), 4);
    assert_eq!(svg.matches("stroke-dasharray=\"2 3\"").count(), 2);
}

#[test]
fn a_value_lies_where_its_axis_says() {
    let svg = plot(
        Scale::Log2,
        Scale::Linear,
        &[(8.0, 0.0), (32.0, 5.0), (128.0, 10.0)],
    )
    .svg();
    // the field is 64..610 across and 368..40 up; 32 is the middle of 8..128 by doublings
    assert!(
        svg.contains("d=\"M64.0 368.0L337.0 204.0L610.0 40.0\""),
        "{svg}"
    );
}

#[test]
fn every_tick_of_a_logarithmic_axis_is_a_power() {
    let svg = plot(Scale::Log2, Scale::Log10, &[(8.0, 1.0), (64.0, 900.0)]).svg();
    for tick in [
        ">8<", ">16<", ">32<", ">64<", ">1<", ">10<", ">100<", ">1000<",
    ] {
        assert!(svg.contains(tick), "{tick} is missing");
    }
}

#[test]
fn ticks_of_a_linear_axis_are_round_numbers_from_zero() {
    let svg = plot(Scale::Linear, Scale::Linear, &[(0.05, 3.84), (0.40, 4.06)]).svg();
    for tick in [">0.00<", ">0.05<", ">0.40<", ">0.0<", ">0.5<", ">4.5<"] {
        assert!(svg.contains(tick), "{tick} is missing in {svg}");
    }
}

#[test]
fn points_that_an_axis_cannot_show_are_left_out() {
    let all = plot(Scale::Log10, Scale::Linear, &[(1.0, 1.0), (10.0, 2.0)]).svg();
    let some = plot(
        Scale::Log10,
        Scale::Linear,
        &[(0.0, 1.0), (1.0, 1.0), (10.0, 2.0), (5.0, f64::NAN)],
    )
    .svg();
    assert_eq!(all, some);
}

#[test]
fn words_are_never_taken_for_markup() {
    let svg = plot(Scale::Linear, Scale::Linear, &[(1.0, 1.0)]).svg();
    assert!(svg.contains("Path length &amp; time-outs"));
    assert!(svg.contains("published &lt;2003&gt;"));
    assert!(!svg.contains("<2003>"));
}

#[test]
fn a_plot_of_nothing_is_still_a_picture() {
    let svg = plot(Scale::Linear, Scale::Log10, &[]).svg();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
}
