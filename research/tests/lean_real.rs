//! LEAN files as they come from QuantConnect's repository.

mod common;

use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::units::{Px, Qty};
use common::{all, data, utc};

fn px(raw: &str) -> Px {
    raw.parse().unwrap()
}

fn quote(event: &MarketEvent) -> Quote {
    match event {
        MarketEvent::Quote(quote) => *quote,
        other => panic!("{other:?}"),
    }
}

#[test]
fn equity_minute_trade_bars() {
    let Some(data) = data("equity_minute_trade_bars") else { return };
    let (events, reports) = all(
        r#"
        [[sources]]
        instrument = "SPY"
        from = "2013-10-07"
        to = "2013-10-11"
        lean = { root = "lean", security = "equity", market = "usa", resolution = "minute", data = "trade" }
        "#,
        &data,
    );
    assert_eq!(events.len(), 828 + 828 + 813 + 883 + 776);
    assert_eq!(reports[0].files, 5);
    let MarketEvent::Bar(first) = events[0] else { panic!() };
    assert_eq!((first.ts_open.raw(), first.ts_close.raw()), (utc("2013-10-07T08:00:00Z"), utc("2013-10-07T08:01:00Z")));
    assert_eq!((first.open, first.low, first.close), (px("167.41"), px("167.25"), px("167.27")));
    assert_eq!(first.volume, Qty::from_units(3_197));
}

#[test]
fn equity_minute_quote_bars_become_closing_quotes() {
    let Some(data) = data("equity_minute_quote_bars_become_closing_quotes") else { return };
    let lean = |extra: &str| {
        format!(
            r#"
            [[sources]]
            instrument = "SPY"
            from = "2013-10-07"
            to = "2013-10-07"
            lean = {{ root = "lean", security = "equity", market = "usa", resolution = "minute", data = "quote"{extra} }}
            "#
        )
    };
    let (events, _) = all(&lean(""), &data);
    assert_eq!(events.len(), 908);
    let first = quote(&events[0]);
    assert_eq!((first.bid, first.ask), (px("167.25"), px("167.27")));
    assert_eq!((first.bid_qty, first.ask_qty), (Qty::from_units(300), Qty::from_units(20_000)));
    assert_eq!(first.ts_venue.raw(), utc("2013-10-07T08:01:00Z"));
    let (bars, _) = all(&lean(", quote_bars = \"mid_bar\""), &data);
    let MarketEvent::Bar(bar) = bars[0] else { panic!() };
    assert_eq!(bar.close, px("167.26"));
}

#[test]
fn equity_ticks_keep_the_side_that_is_not_updated() {
    let Some(data) = data("equity_ticks_keep_the_side_that_is_not_updated") else { return };
    let (events, reports) = all(
        r#"
        [[sources]]
        instrument = "IBM"
        from = "2013-10-07"
        to = "2013-10-08"
        lean = { root = "lean", security = "equity", market = "usa", resolution = "tick", data = "quote" }
        "#,
        &data,
    );
    let report = &reports[0];
    assert_eq!(report.rows, 109_067 + 125_750);
    assert_eq!(report.dropped_by_reason, [("crossed", 89 + 79), ("suspicious", 2)]);
    assert_eq!(events.len() as u64, report.rows - 170);
    let (first, second, third) = (quote(&events[0]), quote(&events[1]), quote(&events[2]));
    assert_eq!((first.bid(), first.ask()), (None, Some(px("183.63"))));
    assert_eq!((second.bid(), second.ask()), (Some(px("180.01")), Some(px("183.63"))));
    assert_eq!(
        (third.bid(), third.ask(), third.ask_qty),
        (Some(px("180.01")), Some(px("181.80")), Qty::from_units(3_000))
    );
    assert_eq!(third.ts_venue.raw(), utc("2013-10-07T08:00:00.241Z"));
    // A new day begins without sides.
    let day_two = events.iter().position(|event| event.ts().raw() > utc("2013-10-08T05:00:00Z")).unwrap();
    assert_eq!(quote(&events[day_two]).ask(), None);

    let (trades, reports) = all(
        r#"
        [[sources]]
        instrument = "SPY"
        lean = { root = "lean", security = "equity", market = "usa", resolution = "tick", data = "trade" }
        "#,
        &data,
    );
    assert_eq!((trades.len(), reports[0].faults, reports[0].dropped), (250_601, 0, 0));
}

#[test]
fn forex_ticks_and_minutes() {
    let Some(data) = data("forex_ticks_and_minutes") else { return };
    let source = |market: &str, resolution: &str, from: &str, to: &str| {
        format!(
            r#"
            [[sources]]
            instrument = "EURUSD"
            from = "{from}"
            to = "{to}"
            lean = {{ root = "lean", security = "forex", market = "{market}", resolution = "{resolution}", data = "quote", default_size = 1000000 }}
            "#
        )
    };
    let (ticks, _) = all(&source("oanda", "tick", "2014-05-07", "2014-05-08"), &data);
    assert_eq!(ticks.len(), 41_367 + 87_833);
    let first = quote(&ticks[0]);
    assert_eq!((first.bid, first.ask, first.bid_qty), (px("1.39286"), px("1.39298"), Qty::from_units(1_000_000)));
    assert_eq!(first.ts_venue.raw(), utc("2014-05-07T00:00:07.135Z"));
    let (minutes, reports) = all(&source("oanda", "minute", "2014-05-01", "2014-05-15"), &data);
    assert_eq!((minutes.len() as u64, reports[0].files), (reports[0].rows, 13));
    // FXCM writes New York standard time all year.
    let (fxcm, _) = all(&source("fxcm", "minute", "2018-04-03", "2018-04-03"), &data);
    assert_eq!((fxcm.len(), fxcm[0].ts().raw()), (1_427, utc("2018-04-03T05:01:00Z")));
    let (daily, _) = all(&source("oanda", "daily", "2007-01-01", "2018-12-31"), &data);
    assert_eq!((daily.len(), daily[0].ts().raw()), (3_738, utc("2007-01-02T00:00:00Z")));
}

#[test]
fn daily_bars_raw_and_adjusted() {
    let Some(data) = data("daily_bars_raw_and_adjusted") else { return };
    let bars = |symbol: &str, prices: &str| {
        let (events, reports) = all(
            &format!(
                r#"
                [[sources]]
                instrument = "{symbol}"
                lean = {{ root = "lean", security = "equity", market = "usa", resolution = "daily", data = "trade", prices = "{prices}" }}
                "#
            ),
            &data,
        );
        assert_eq!(reports[0].faults, 0);
        events
    };
    let raw = bars("SPY", "raw");
    assert_eq!(raw.len(), 5_849);
    let MarketEvent::Bar(first) = raw[0] else { panic!() };
    assert_eq!((first.ts_open.raw(), first.ts_close.raw()), (utc("1998-01-02T05:00:00Z"), utc("1998-01-03T05:00:00Z")));
    let MarketEvent::Bar(adjusted) = bars("SPY", "adjusted")[0] else { panic!() };
    assert_eq!(adjusted.close, px("63.932476016"), "97.36 x 0.6566606, half to even at 1e-9");
    // Apple's 7:1 split of 2014-06-09.
    let at = |events: &[MarketEvent], day: &str| {
        let open = utc(day);
        events
            .iter()
            .find_map(|event| match event {
                MarketEvent::Bar(bar) if bar.ts_open.raw() == open => Some(*bar),
                _ => None,
            })
            .unwrap()
    };
    let (raw, split) = (bars("AAPL", "raw"), bars("AAPL", "split_adjusted"));
    let (before, after) = ("2014-06-06T04:00:00Z", "2014-06-09T04:00:00Z");
    let ratio = |bars: &[MarketEvent]| at(bars, before).close.raw() as f64 / at(bars, after).close.raw() as f64;
    assert!((ratio(&raw) - 6.887).abs() < 0.01, "{}", ratio(&raw));
    assert!((ratio(&split) - 0.984).abs() < 0.01, "{}", ratio(&split));
    assert!(at(&split, before).volume > at(&raw, before).volume);
}

#[test]
fn a_ticker_change_is_followed() {
    let Some(data) = data("a_ticker_change_is_followed") else { return };
    let (events, _) = all(
        r#"
        [[sources]]
        instrument = "GOOG"
        from = "2014-03-27"
        to = "2014-04-10"
        lean = { root = "lean", security = "equity", market = "usa", resolution = "daily", data = "trade" }
        "#,
        &data,
    );
    let days: Vec<String> = events
        .iter()
        .map(|event| jiff::Timestamp::from_nanosecond(event.ts().raw().into()).unwrap().to_string()[..10].to_string())
        .collect();
    assert_eq!(days.len(), 11, "{days:?}");
}

#[test]
fn crypto_sizes_with_float_noise_need_a_declared_rounding() {
    let Some(data) = data("crypto_sizes_with_float_noise_need_a_declared_rounding") else { return };
    let source = |extra: &str| {
        format!(
            r#"
            [[sources]]
            instrument = "BTCUSD"
            from = "2018-04-04"
            to = "2018-04-04"
            lean = {{ root = "lean", security = "crypto", market = "coinbase", resolution = "minute", data = "quote"{extra} }}
            "#
        )
    };
    let (events, _) = all(&source(", round_sizes = true"), &data);
    assert_eq!(events.len(), 1_437);
    let mut strict = common::open(&source(""), &data).unwrap();
    let fault = common::read(strict.as_mut()).unwrap_err().to_string();
    assert!(
        fault.contains("column `ask size`: has more than 8 digits") && fault.contains("20180404_quote.zip!"),
        "{fault}"
    );
}

#[test]
fn future_contracts_are_chosen_by_name() {
    let Some(data) = data("future_contracts_are_chosen_by_name") else { return };
    let source = |extra: &str| {
        format!(
            r#"
            [[sources]]
            instrument = "ES"
            from = "2013-10-07"
            to = "2013-10-09"
            rules = {{ crossed = "drop" }}
            lean = {{ root = "lean", security = "future", market = "cme", resolution = "minute", data = "quote"{extra} }}
            "#
        )
    };
    let (events, reports) = all(&source(", contract = \"201312\""), &data);
    assert!(events.len() > 4_000 && reports[0].faults == 0, "{reports:?}");
    let faults = common::open(&source(""), &data).err().unwrap();
    assert!(common::shown(&faults).contains("sources[0].lean.contract"), "{}", common::shown(&faults));
}

#[test]
fn sessions_and_missing_days_come_from_the_hours_database() {
    let Some(data) = data("sessions_and_missing_days_come_from_the_hours_database") else { return };
    let source = |resolution: &str, kind: &str, extra: &str| {
        format!(
            r#"
            [[sources]]
            instrument = "SPY"
            from = "2013-10-01"
            to = "2013-10-14"
            lean = {{ root = "lean", security = "equity", market = "usa", resolution = "{resolution}", data = "{kind}"{extra} }}
            "#
        )
    };
    for kind in ["trade", "quote"] {
        let (events, reports) = all(&source("minute", kind, ", session = \"regular\""), &data);
        assert_eq!(events.len(), 6 * 390, "{kind}");
        assert_eq!(events[0].ts().raw(), utc("2013-10-04T13:31:00Z"));
        assert_eq!(events[389].ts().raw(), utc("2013-10-04T20:00:00Z"));
        assert_eq!(reports[0].missing_days, ["2013-10-01", "2013-10-02", "2013-10-03", "2013-10-14"]);
        assert_eq!(reports[0].dropped_by_reason[0].0, "outside_hours");
    }
    let (daily, _) = all(&source("daily", "trade", ", daily_close = \"session\""), &data);
    assert_eq!((daily.len(), daily[0].ts().raw()), (10, utc("2013-10-01T20:00:00Z")));
}
