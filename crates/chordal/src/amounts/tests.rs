use super::*;

#[test]
fn sizes_and_times_are_read_as_people_write_them() {
    assert_eq!(parse_size("0"), Ok(0));
    assert_eq!(parse_size("100GB"), Ok(100_000_000_000));
    assert_eq!(parse_size("2 MiB"), Ok(2 << 20));
    assert!(parse_size("lots").is_err());
    assert_eq!(parse_time("5s"), Ok(Duration::from_secs(5)));
    assert_eq!(parse_time("1.5s"), Ok(Duration::from_millis(1500)));
    assert_eq!(parse_time("10m"), Ok(Duration::from_mins(10)));
    assert_eq!(parse_time("2d"), Ok(Duration::from_hours(48)));
    assert_eq!(parse_time("1h30m"), Ok(Duration::from_mins(90)));
    for time in ["-5s", "5", "", "m", "1 month", "1y", "ten minutes"] {
        assert!(parse_time(time).is_err(), "{time}");
    }
    assert_eq!(parse_days("14"), Ok(Duration::from_hours(14 * 24)));
    assert_eq!(parse_days("0.5"), Ok(Duration::from_hours(12)));
    for days in ["0", "-1", "4000", "NaN", "inf", "soon"] {
        assert!(parse_days(days).is_err(), "{days}");
    }
    assert_eq!(parse_rate("1MiB"), Ok(1 << 20));
    assert!(parse_rate("0").is_err());
}

#[test]
fn bits_and_switches_know_their_bounds() {
    assert_eq!(parse_bits("3"), Ok(3));
    assert_eq!(parse_bits("128"), Ok(128));
    for bits in ["2", "129", "257", "-3", "ten", ""] {
        assert!(parse_bits(bits).is_err(), "{bits}");
    }
    assert_eq!(parse_switch("Yes"), Ok(true));
    assert_eq!(parse_switch("0"), Ok(false));
    assert!(parse_switch("perhaps").is_err());
}

#[test]
fn a_place_to_join_is_an_address_a_code_or_standard_input() {
    for good in ["-", "127.0.0.1:2000", "host.example:2000", "[::1]:2000"] {
        parse_place(good).unwrap();
    }
    for wrong in ["127.0.0.1", "host:port", "host.example:99999"] {
        assert!(
            parse_place(wrong).unwrap_err().contains("IP:PORT"),
            "{wrong}"
        );
    }
    let secret = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let said = parse_place(secret).unwrap_err();
    assert!(!said.contains("ABCD"), "{said}");
}
