//! Trading hours: half days, holidays and changes of the clock.

mod common;

use argonaut_engine::instrument::TradingHours;
use argonaut_engine::units::Nanos;
use argonaut_research::feed::lean::Security;
use argonaut_research::feed::lean::reference::{Sessions, market_hours, symbol_properties};
use argonaut_research::hours::{HoursSpec, Schedule};
use common::utc;

fn schedule(toml: &str) -> Schedule {
    toml::from_str::<HoursSpec>(toml)
        .unwrap()
        .check("hours")
        .unwrap_or_else(|faults| panic!("{}", common::shown(&faults)))
}

fn between(schedule: &Schedule, first: &str, last: &str) -> Vec<String> {
    let TradingHours::Intervals(intervals) = schedule.trading_hours_between(first, last).unwrap() else { panic!() };
    let show =
        |at: Nanos| jiff::Timestamp::from_nanosecond(at.raw().into()).unwrap().strftime("%m-%dT%H:%M").to_string();
    intervals.into_iter().map(|(open, close)| format!("{}/{}", show(open), show(close))).collect()
}

const NYSE: &str = r#"
    zone = "America/New_York"
    monday = ["09:30-16:00"]
    tuesday = ["09:30-16:00"]
    wednesday = ["09:30-16:00"]
    thursday = ["09:30-16:00"]
    friday = ["09:30-16:00"]
    holidays = ["2014-07-04"]
    early_closes = { "2014-07-03" = "13:00" }
"#;

#[test]
fn holidays_half_days_and_weekends() {
    assert_eq!(
        between(&schedule(NYSE), "2014-07-02", "2014-07-07"),
        ["07-02T13:30/07-02T20:00", "07-03T13:30/07-03T17:00", "07-07T13:30/07-07T20:00"]
    );
}

#[test]
fn the_clock_is_set_forward_and_back() {
    let nyse = schedule(NYSE);
    assert_eq!(between(&nyse, "2014-03-07", "2014-03-10"), ["03-07T14:30/03-07T21:00", "03-10T13:30/03-10T20:00"]);
    assert_eq!(between(&nyse, "2014-10-31", "2014-11-03"), ["10-31T13:30/10-31T20:00", "11-03T14:30/11-03T21:00"]);
}

#[test]
fn sessions_that_meet_at_midnight_are_one() {
    let forex = schedule(
        r#"
        zone = "America/New_York"
        sunday = ["17:00-24:00"]
        monday = ["00:00-24:00"]
        tuesday = ["00:00-24:00"]
        wednesday = ["00:00-24:00"]
        thursday = ["00:00-24:00"]
        friday = ["00:00-17:00"]
        "#,
    );
    // The week in which the clock is set forward on Sunday morning, before the opening.
    assert_eq!(between(&forex, "2014-03-02", "2014-03-14"), ["03-02T22:00/03-07T22:00", "03-09T21:00/03-14T21:00"]);
    // Open over the night in which it is set back: an hour more of UTC.
    let always = schedule("zone = \"Europe/Berlin\"\nsunday = [\"00:00-24:00\"]");
    assert_eq!(between(&always, "2014-10-26", "2014-10-26"), ["10-25T22:00/10-26T23:00"]);
    let in_the_gap = schedule("zone = \"Europe/Berlin\"\nsunday = [\"02:10-02:50\", \"04:00-05:00\"]");
    assert_eq!(between(&in_the_gap, "2014-03-30", "2014-03-30"), ["03-30T02:00/03-30T03:00"]);
}

#[test]
fn an_early_close_with_a_later_opening_is_a_pause() {
    let globex = schedule(
        r#"
        zone = "America/Chicago"
        monday = ["00:00-16:00", "17:00-24:00"]
        early_closes = { "2014-01-20" = "10:30" }
        late_opens = { "2014-01-20" = "17:00" }
        "#,
    );
    assert_eq!(between(&globex, "2014-01-20", "2014-01-20"), ["01-20T06:00/01-20T16:30", "01-20T23:00/01-21T06:00"]);
    let late = schedule("zone = \"UTC\"\nmonday = [\"09:00-17:00\"]\nlate_opens = { \"2014-01-20\" = \"11:00\" }");
    assert_eq!(between(&late, "2014-01-20", "2014-01-20"), ["01-20T11:00/01-20T17:00"]);
}

#[test]
fn every_fault_of_a_schedule_is_told() {
    let spec: HoursSpec = toml::from_str(
        r#"
        zone = "Mars"
        monday = ["9:30-16:00", "10:00-09:00"]
        tuesday = ["09:00-12:00", "11:00-13:00"]
        holidays = ["2014-02-30"]
        early_closes = { "2014-07-03" = "25:00" }
        "#,
    )
    .unwrap();
    let faults = common::shown(&spec.check("instruments.SPY.hours").unwrap_err());
    for part in [
        "hours.zone = `Mars`",
        "hours.monday = `9:30-16:00`",
        "`10:00-09:00`",
        "`11:00-13:00`",
        "`2014-02-30`",
        "25:00",
    ] {
        assert!(faults.contains(part), "{part} in\n{faults}");
    }
    assert!(toml::from_str::<HoursSpec>("zone = \"UTC\"\nmoonday = []").is_err());
}

#[test]
fn leans_database_knows_exchanges() {
    let Some(data) = common::data("leans_database_knows_exchanges") else { return };
    let root = data.join("lean");
    let spy = market_hours(&root, Security::Equity, "usa", "SPY").unwrap().unwrap();
    assert_eq!(between(spy.schedule(Sessions::Regular), "2013-11-28", "2013-11-29"), ["11-29T14:30/11-29T18:00"]);
    let christmas = between(spy.schedule(Sessions::Extended), "2015-12-24", "2015-12-28");
    assert_eq!(christmas, ["12-24T09:00/12-24T18:00", "12-28T09:00/12-29T01:00"]);
    let forex = market_hours(&root, Security::Forex, "oanda", "EURUSD").unwrap().unwrap();
    let week = between(forex.schedule(Sessions::Regular), "2014-05-04", "2014-05-05");
    assert_eq!(week, ["05-04T21:03/05-05T20:58", "05-05T21:03/05-06T04:00"]);
    assert!(market_hours(&root, Security::Equity, "nowhere", "SPY").unwrap().is_none());

    let es = symbol_properties(&root, Security::Future, "cme", "ES").unwrap().unwrap();
    assert_eq!((es.tick, es.multiplier.raw(), es.lot), ("0.25".parse().unwrap(), 500_000, "1".parse().unwrap()));
    let spy = symbol_properties(&root, Security::Equity, "usa", "SPY").unwrap().unwrap();
    assert_eq!((spy.tick, spy.currency.as_str(), spy.min_qty), ("0.01".parse().unwrap(), "USD", None));
    let btc = symbol_properties(&root, Security::Crypto, "coinbase", "btcusd").unwrap().unwrap();
    assert_eq!((btc.lot, btc.min_qty), ("0.00000001".parse().unwrap(), Some("0.00000001".parse().unwrap())));
    assert!(utc("2014-01-01T00:00:00Z") > 0);
}
