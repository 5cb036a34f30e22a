use super::*;
use jiff::{Timestamp, civil};

fn read(format: &str, zone: &str, raw: &str) -> Result<String, Reason> {
    let zone = (!zone.is_empty()).then(|| Zone::parse(zone).unwrap());
    let nanos = TimeReader::new(TimeFormat::parse(format).unwrap(), zone).parse(raw.as_bytes())?;
    Ok(Timestamp::from_nanosecond(i128::from(nanos.raw())).unwrap().to_string())
}

#[test]
fn timestamps_are_read_as_declared() {
    let letters = "yyyyMMdd HHmmssSSS";
    let cases: &[(&str, &str, &str, Result<&str, Reason>)] = &[
        ("unix_ns", "", "1704067200000000001", Ok("2024-01-01T00:00:00.000000001Z")),
        ("unix_s", "", "1672531436.5", Ok("2023-01-01T00:03:56.5Z")),
        ("unix_ms", "", "1637971200000", Ok("2021-11-27T00:00:00Z")),
        ("unix_us", "", "1637971200000001", Ok("2021-11-27T00:00:00.000001Z")),
        ("unix_ms", "", "-1", Err(Reason::OutOfRange)),
        ("unix_ms", "", "soon", Err(Reason::BadTimestamp)),
        ("iso8601", "", "2012-02-01 00:01:00+00:00", Ok("2012-02-01T00:01:00Z")),
        ("iso8601", "", "2012-02-01T00:01:00.25+0130", Ok("2012-01-31T22:31:00.25Z")),
        ("iso8601", "America/New_York", "2014-06-09", Ok("2014-06-09T04:00:00Z")),
        ("iso8601", "America/New_York", "2014-06-09 09:30", Ok("2014-06-09T13:30:00Z")),
        ("iso8601", "America/New_York", "2014-01-09 09:30:00Z", Ok("2014-01-09T09:30:00Z")),
        ("iso8601", "", "2014-06-09 09:30", Err(Reason::NoZone)),
        ("iso8601", "UTC", "2014-02-29", Err(Reason::BadTimestamp)),
        ("iso8601", "UTC", "2016-02-29", Ok("2016-02-29T00:00:00Z")),
        ("iso8601", "UTC", "2014-06-09 24:00", Err(Reason::BadTimestamp)),
        ("iso8601", "UTC", "2014-06-09 09:30:00x", Err(Reason::BadTimestamp)),
        ("iso8601", "UTC", "2014-06-09 09:30:00.", Err(Reason::BadTimestamp)),
        ("iso8601", "UTC", "1969-12-31", Err(Reason::OutOfRange)),
        // The clock was set forward on 2014-03-09 at 02:00 and back on 2014-11-02 at 02:00.
        ("iso8601", "America/New_York", "2014-03-09 01:59:59", Ok("2014-03-09T06:59:59Z")),
        ("iso8601", "America/New_York", "2014-03-09 02:30:00", Err(Reason::MissingTime)),
        ("iso8601", "America/New_York", "2014-03-09 03:00:00", Ok("2014-03-09T07:00:00Z")),
        ("iso8601", "America/New_York", "2014-11-02 01:30:00", Err(Reason::AmbiguousTime)),
        ("iso8601", "America/New_York", "2014-11-02 01:30:00-05:00", Ok("2014-11-02T06:30:00Z")),
        ("iso8601", "America/New_York", "2014-11-02 02:00:00", Ok("2014-11-02T07:00:00Z")),
        (letters, "UTC-05", "20200101 170000065", Ok("2020-01-01T22:00:00.065Z")),
        (letters, "-05:00", "20200101 17000006", Err(Reason::BadTimestamp)),
        ("yyyyMMdd HH:mm", "UTC", "19980102 09:00", Ok("1998-01-02T09:00:00Z")),
        ("%d.%m.%Y %H:%M:%S.%f", "Europe/Berlin", "01.07.2020 12:00:00.5", Ok("2020-07-01T10:00:00.5Z")),
        ("%d %b %Y %T%z", "", "01 Jul 2020 12:00:00+02", Ok("2020-07-01T10:00:00Z")),
        ("%Y%m%d", "UTC", "20200101x", Err(Reason::BadTimestamp)),
    ];
    for (format, zone, raw, expected) in cases {
        assert_eq!(read(format, zone, raw), expected.map(Into::into), "{format} {zone} {raw}");
    }
}

#[test]
fn formats_and_zones_are_refused_by_name() {
    for format in ["%q", "%H:%M", "unix", "yyyy-M-d", "%Y-%m", "epoch"] {
        assert!(TimeFormat::parse(format).is_err(), "{format}");
    }
    for zone in ["Mars/Olympus", "", "+25:00", "+1", "UTC+99"] {
        assert!(Zone::parse(zone).is_err(), "{zone}");
    }
}

#[test]
fn days_agree_with_the_calendar_library() {
    for days in (-200_000..200_000).step_by(37) {
        let date = civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        assert_eq!(days_from_civil(date.year().into(), date.month().into(), date.day().into()), Some(days));
    }
}

#[test]
fn borders_in_a_gap_or_fold_have_one_instant() {
    let zone = Zone::parse("America/New_York").unwrap();
    let local = |day, hour: i64, minute: i64| day * DAY + hour * 3_600 + minute * 60;
    let forward = days_from_civil(2014, 3, 9).unwrap();
    assert_eq!(zone.border_to_utc(local(forward, 2, 30)), Some(local(forward, 7, 0)));
    let back = days_from_civil(2014, 11, 2).unwrap();
    assert_eq!(zone.border_to_utc(local(back, 1, 30)), Some(local(back, 5, 30)));
}

proptest::proptest! {
    /// The slow twin: the calendar library's own parser and rules.
    #[test]
    fn agrees_with_the_calendar_library(second in 0_i64..4_000_000_000, nanos in 0_i32..1_000_000_000, zone in 0_usize..4) {
        let name = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"][zone];
        let at = Timestamp::new(second, nanos).unwrap();
        let local = at.in_tz(name).unwrap();
        let clock = local.strftime("%Y-%m-%d %H:%M:%S.%9f").to_string();
        let ours = TimeReader::new(TimeFormat::Iso, Some(Zone::parse(name).unwrap())).parse(clock.as_bytes());
        let twin = local.time_zone().to_ambiguous_timestamp(local.datetime()).unambiguous();
        match twin {
            Ok(instant) => proptest::prop_assert_eq!(ours.map(|ts| i128::from(ts.raw())), Ok(instant.as_nanosecond())),
            Err(_) => proptest::prop_assert_eq!(ours, Err(Reason::AmbiguousTime)),
        }
        let zoned = local.strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string();
        let ours = TimeReader::new(TimeFormat::Iso, None).parse(zoned.as_bytes());
        proptest::prop_assert_eq!(ours.map(|ts| i128::from(ts.raw())), Ok(at.as_nanosecond()));
    }
}
