use std::collections::BTreeSet;
use std::time::Duration;

use chordal_node::{Home, NodeConfig};

use super::*;

#[test]
fn a_name_stands_for_one_setting_and_tells_the_variable() {
    let names: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(names.len(), SETTINGS.len());
    let variable = Setting::named("scrub-days").unwrap().variable();
    assert_eq!(variable, "CHORDAL_SCRUB_DAYS");
    assert!(Setting::named("scrub_days").is_none());
}

#[test]
fn every_default_that_is_a_value_is_one_that_is_accepted() {
    for setting in SETTINGS {
        if let Fallback::Is(value) = setting.default {
            assert_eq!(setting.check(value.as_ref()), Ok(()), "{}", setting.name);
        }
    }
}

#[test]
fn the_defaults_of_the_table_are_those_of_a_node_that_is_told_nothing() {
    let config = NodeConfig::new(Home::at("/"), "127.0.0.1:0".parse().unwrap());
    let default = |name| Setting::named(name).unwrap().default_words();
    let hours = |days: Duration| days.as_secs() / 3600;
    assert_eq!(parse_time(default("grace")), Ok(config.timing.grace));
    assert_eq!(
        parse_days(default("scrub-days")).map(hours),
        Ok(hours(config.scrub.period))
    );
    assert_eq!(
        parse_rate(default("scrub-rate")),
        Ok(config.scrub.bytes_per_second_max)
    );
    assert_eq!(
        parse_rate(default("repair-rate")),
        Ok(config.repair.bytes_per_second_max)
    );
}

#[test]
fn a_value_that_makes_no_sense_is_refused_with_what_would() {
    let refused = |name: &str, value: &str| {
        let setting = Setting::named(name).unwrap();
        setting.check(value.as_ref()).unwrap_err()
    };
    assert!(refused("node", "here").contains("127.0.0.1:2000"));
    assert!(refused("offer", "100 km").contains("100GB"));
    assert!(refused("grace", "10").contains("10m"));
    assert!(refused("bits", "200").contains("128"));
    assert!(refused("classic", "maybe").contains("true"));
    assert!(refused("log", "a=b=c").contains("log filter"));
    refused("data", "");
    refused("join", " ");
}
