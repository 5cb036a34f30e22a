//! The position book through its public surface: a scenario table, and a naive twin that knows nothing but
//! the list of executions.

use argonaut_engine::event::{AccountConfig, Execution, ExecutionKind};
use argonaut_engine::hash::hash_of;
use argonaut_engine::ids::{AccountId, ClOrdId, ExecKey, InstrumentId, Origin, StrategyId, UserId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::{Fee, Fill, Liquidity, Side};
use argonaut_engine::position::{Applied, BookFault, PositionBook};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, SignedQty};
use proptest::prelude::*;

const USD: &str = "USD";
/// Symbol, class, currency, multiplier x 10,000.
const INSTRUMENTS: [(&str, AssetClass, &str, i64); 6] = [
    ("STK", AssetClass::Stock, USD, 10_000),
    ("ES", AssetClass::Future, USD, 500_000),
    ("MIC", AssetClass::Future, USD, 1_000),
    ("SAP", AssetClass::Stock, "EUR", 10_000),
    ("BTC", AssetClass::Crypto, USD, 10_000),
    ("EURJPY", AssetClass::Forex, "JPY", 10_000),
];

fn instruments() -> Instruments {
    let list = (0_u16..).zip(INSTRUMENTS).map(|(id, (symbol, class, currency, multiplier))| Instrument {
        id: InstrumentId(id),
        symbol: Text::new(symbol).unwrap(),
        class,
        currency: Currency::new(currency).unwrap(),
        tick: "0.01".parse().unwrap(),
        lot: "0.00000001".parse().unwrap(),
        min_qty: "0.00000001".parse().unwrap(),
        multiplier: Multiplier::from_raw(multiplier).unwrap(),
        margin_bps: 10_000,
        negative_px: symbol == "ES",
        hours: TradingHours::Always,
        venue: VenueId(0),
    });
    Instruments::new(list.collect()).unwrap()
}

fn book() -> PositionBook {
    let account = AccountConfig {
        account: AccountId::new("DU1").unwrap(),
        currency: Currency::new(USD).unwrap(),
        starting_cash: "100000".parse().unwrap(),
    };
    PositionBook::new(&account, &instruments())
}

fn instrument(symbol: &str) -> InstrumentId {
    let at = INSTRUMENTS.iter().position(|(other, ..)| *other == symbol).expect(symbol);
    InstrumentId(at as u16)
}

fn quote(instrument: InstrumentId, bid: Px, ask: Px) -> MarketEvent {
    let one = Qty::from_units(1);
    MarketEvent::Quote(Quote { instrument, bid, ask, bid_qty: one, ask_qty: one, ts_venue: Nanos::ZERO })
}

fn trade(instrument: InstrumentId, px: Px) -> MarketEvent {
    MarketEvent::Trade(Trade { instrument, px, qty: Qty::from_units(1), aggressor: None, ts_venue: Nanos::ZERO })
}

fn bar(instrument: InstrumentId, close: Px) -> MarketEvent {
    let (ts_open, ts_close) = (Nanos::ZERO, Nanos::from_raw(60));
    let (basis, volume) = (BarBasis::Trades, Qty::ZERO);
    MarketEvent::Bar(Bar { instrument, basis, open: close, high: close, low: close, close, volume, ts_open, ts_close })
}

/// Writes executions the way a session does, and remembers them so that they can be corrected.
#[derive(Default)]
struct Tape {
    told: Vec<Execution>,
}

impl Tape {
    fn new_execution(&mut self, origin: Origin, instrument: InstrumentId, side: Side, px: Px, qty: Qty) -> Execution {
        let number = self.told.len() as u64 + 1;
        let stem = Text::new(&format!("0000e0d5.{number}")).unwrap();
        let key = ExecKey { venue: VenueId(0), stem, revision: 1 };
        let fill = Fill { key, px, qty, liquidity: Liquidity::Removed, fee: None };
        let (kind, cl_ord_id) = (ExecutionKind::New, ClOrdId(number));
        let (ts_venue, now) = (Nanos::ZERO, Nanos::ZERO);
        let execution = Execution { cl_ord_id, origin, instrument, side, kind, fill, ts_venue, now };
        self.told.push(execution);
        execution
    }

    /// Execution `at` now is `px` and `qty`; `None`: it is busted.
    fn changed(&mut self, at: usize, print: Option<(Px, Qty)>) -> Execution {
        let told = &mut self.told[at];
        let (old_px, old_qty) = (told.fill.px, told.fill.qty);
        let mut change = *told;
        change.fill.key.revision += 1;
        change.fill.fee = None;
        change.kind = match print {
            Some((px, qty)) => {
                (change.fill.px, change.fill.qty) = (px, qty);
                ExecutionKind::Correct { old_px, old_qty }
            }
            None => ExecutionKind::Cancel,
        };
        *told = change;
        if print.is_none() {
            told.fill.qty = Qty::ZERO;
        }
        change
    }
}

/// Reads `s1/ES:B 2@5000 +2.05USD` and applies it, or `C1 2@4999`, `X1`, `M ES 5000`, `FX EUR 1.1`,
/// `FEE1 0.5EUR`.
fn step(book: &mut PositionBook, tape: &mut Tape, words: &str) {
    let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
    let print = |raw: &str| -> (Px, Qty) {
        let (qty, px) = raw.split_once('@').expect(raw);
        (px.parse().unwrap(), qty.parse().unwrap())
    };
    let fee = |raw: &str| -> Fee {
        let (amount, currency) = raw.split_at(raw.len() - 3);
        Fee { amount: amount.trim_start_matches('+').parse().unwrap(), currency: Currency::new(currency).unwrap() }
    };
    let mut words = rest.split(' ');
    let mut word = || words.next().unwrap_or_default();
    match verb {
        "M" => {
            let (id, px): (_, Px) = (instrument(word()), word().parse().unwrap());
            book.handle_market(Nanos::ZERO, &quote(id, px, px));
        }
        "FX" => {
            let (currency, rate) = (Currency::new(word()).unwrap(), word().parse().unwrap());
            book.set_fx(currency, rate, Nanos::ZERO);
        }
        _ if verb.starts_with("FEE") => {
            let mut news = tape.told[verb[3..].parse::<usize>().unwrap() - 1];
            (news.kind, news.fill.fee) = (ExecutionKind::FeeOnly, Some(fee(word())));
            book.apply(&news).unwrap();
        }
        _ if verb.starts_with('C') || verb.starts_with('X') => {
            let at = verb[1..].parse::<usize>().unwrap() - 1;
            let change = tape.changed(at, verb.starts_with('C').then(|| print(word())));
            book.apply(&change).unwrap();
        }
        _ => {
            let (origin, what) = match verb.split_once('/') {
                Some((own, what)) => (Origin::Strategy(StrategyId(own[1..].parse().unwrap())), what),
                None => (Origin::User(UserId(1)), verb),
            };
            let (symbol, side) = what.split_once(':').unwrap_or(("STK", what));
            let side = if side == "B" { Side::Buy } else { Side::Sell };
            let (px, qty) = print(word());
            let mut execution = tape.new_execution(origin, instrument(symbol), side, px, qty);
            let paid = word();
            execution.fill.fee = (!paid.is_empty()).then(|| fee(paid));
            book.apply(&execution).unwrap();
        }
    }
}

/// Answers one `name=value` of an expectation, in the form `ES.realised`, `s1/STK.position`, `equity`, `cash.EUR`.
fn answer(book: &PositionBook, name: &str) -> String {
    let now = Nanos::ZERO;
    let show = |amount: Option<Notional>| amount.map_or("none".into(), |amount| amount.to_string());
    let account = book.account(now);
    match name {
        "equity" => return show(book.equity()),
        "account.realised" => return show(account.realised),
        "account.unrealised" => return show(account.unrealised),
        "account.fees" => return show(account.fees),
        _ => {}
    }
    if let Some(currency) = name.strip_prefix("cash.") {
        let cash = account.cash.iter().find(|(other, _)| other.as_str() == currency);
        return show(cash.map(|(_, amount)| *amount));
    }
    let (who, field) = name.split_once('.').unwrap_or(("STK", name));
    let (strategy, symbol) = match who.split_once('/') {
        Some((own, symbol)) => (Some(StrategyId(own[1..].parse().unwrap())), symbol),
        None => (None, who),
    };
    let Some(view) = book.view(strategy, instrument(symbol), now) else { return "none".into() };
    match field {
        "position" => view.position.to_string(),
        "cost" => view.cost.to_string(),
        "realised" => view.realised.to_string(),
        "unrealised" => show(view.unrealised),
        "fees" => view.fees.to_string(),
        "fees_account" => view.fees_account.to_string(),
        other => panic!("no field {other}"),
    }
}

const SCENARIOS: &str = "
never traded               |                                              | position=none equity=100000
open long                  | B 100@10                                     | position=100 cost=1000 realised=0 unrealised=none equity=none cash.USD=99000
open short                 | S 100@10                                     | position=-100 cost=-1000 realised=0 cash.USD=101000
add                        | B 100@10; B 50@13; M STK 12                  | position=150 cost=1650 realised=0 unrealised=150 equity=100150
add to short               | S 100@10; S 50@13; M STK 12                  | position=-150 cost=-1650 unrealised=-150 equity=99850
reduce long                | B 100@10; S 40@12; M STK 11                  | position=60 cost=600 realised=80 unrealised=60 equity=100140
reduce short               | S 100@10; B 40@12; M STK 11                  | position=-60 cost=-600 realised=-80 unrealised=-60 equity=99860
reduce averages            | B 1@10; B 1@11; B 1@12; S 1@20               | position=2 cost=22 realised=9
thirds stay exact          | B 3@10; B 0.00000001@10.000000001; S 1@10; S 1@10; S 1.00000001@10 | position=0 cost=0 realised=-0.00000000000000001
close                      | B 100@10; S 100@12                           | position=0 cost=0 realised=200 unrealised=0 equity=100200
close needs no mark        | B 100@10; S 100@9                            | equity=99900 unrealised=0
flip long to short         | B 100@10; S 150@12; M STK 11                 | position=-50 cost=-600 realised=200 unrealised=50 equity=100250
flip short to long         | S 100@10; B 150@12; M STK 13                 | position=50 cost=600 realised=-200 unrealised=50 equity=99850
flip twice                 | B 1@10; S 2@11; B 2@12                       | position=1 cost=12 realised=0
fractional quantity        | BTC:B 0.12345678@40000.5; M BTC 41000.5      | BTC.position=0.12345678 BTC.cost=4938.33292839 BTC.unrealised=123.45678
future multiplier 50       | ES:B 2@5000; M ES 5001.25                    | ES.cost=500000 ES.unrealised=125 cash.USD=100000 equity=100125
future realises into cash  | ES:B 2@5000; ES:S 1@5010; M ES 5010          | ES.cost=250000 ES.realised=500 cash.USD=100500 equity=101000
future below zero          | ES:S 1@-1.5; M ES -2                         | ES.cost=75 ES.unrealised=25 equity=100025
fractional multiplier 0.1  | MIC:B 3@100.5; MIC:S 1@101; M MIC 102        | MIC.position=2 MIC.cost=20.1 MIC.realised=0.05 MIC.unrealised=0.3 equity=100000.35
fee                        | B 100@10 +1.25USD; M STK 10                  | fees=1.25 realised=0 unrealised=0 equity=99998.75 cash.USD=98998.75
rebate                     | B 100@10 -0.2USD; M STK 10                   | fees=-0.2 equity=100000.2
late fee                   | B 100@10; FEE1 0.5USD; M STK 10              | fees=0.5 equity=99999.5
fee in account currency    | FX EUR 1.1; SAP:B 10@100 +2USD; M SAP 100    | SAP.fees=0 SAP.fees_account=2 cash.USD=99998 cash.EUR=-1000 equity=99998
fee in a third currency    | B 1@10 +1EUR; M STK 10                       | fees=0 fees_account=0 cash.EUR=-1 equity=none
third currency with rate   | FX EUR 1.1; B 1@10 +1EUR; M STK 10           | equity=99998.9 account.fees=1.1
foreign without rate       | SAP:B 10@100; M SAP 101                      | SAP.unrealised=10 equity=none account.unrealised=none account.realised=0
foreign with rate          | SAP:B 10@100; M SAP 101; FX EUR 1.1          | equity=100011 account.unrealised=11
foreign, closed            | FX EUR 1.1; SAP:B 10@100; SAP:S 10@101       | equity=100011 account.realised=11 cash.EUR=10
foreign, rate moves        | FX EUR 1.1; SAP:B 10@100; SAP:S 10@101; FX EUR 1.2 | equity=100012 account.realised=12
two foreign                | FX EUR 1.1; FX JPY 0.0066; SAP:B 10@100; M SAP 101; EURJPY:S 1000@160; M EURJPY 159.5 | equity=100014.3 EURJPY.unrealised=500 cash.JPY=160000
not positive rate          | FX EUR 0; SAP:B 1@1; M SAP 1                 | equity=none
account currency is one    | FX USD 2; B 1@10; M STK 10                   | equity=100000
virtual books              | s1/B 10@10; s2/S 4@11; B 1@12                | position=7 s1/STK.position=10 s2/STK.position=-4
virtual profit             | s1/B 10@10; s2/S 10@12; M STK 13             | position=0 realised=20 s1/STK.unrealised=30 s2/STK.unrealised=-10
virtual fee                | s1/B 10@10 +1USD; B 1@10 +2USD               | s1/STK.fees=1 fees=3
user is not a strategy     | B 10@10                                      | s1/STK.position=none
correct latest price       | B 10@10; B 10@20; C2 10@19                   | position=20 cost=290 realised=0
correct latest reduction   | B 10@10; S 4@20; C2 4@21                     | position=6 cost=60 realised=44
correct latest quantity    | B 10@10; S 4@20; C2 5@20                     | position=5 cost=50 realised=50
correct latest flip        | B 10@10; S 15@20; C2 5@20                    | position=5 cost=50 realised=50
correct twice              | B 10@10; S 4@20; C2 4@21; C2 4@22            | position=6 cost=60 realised=48
bust latest open           | B 10@10; B 10@20; X2                         | position=10 cost=100 realised=0
bust latest close          | B 10@10; S 10@15; X2                         | position=10 cost=100 realised=0
bust latest flip           | B 10@10; S 25@15; X2                         | position=10 cost=100 realised=0
bust the only one          | B 10@10; X1                                  | position=0 cost=0 realised=0 equity=100000
bust older open, only grown| B 10@10; B 10@20; B 10@30; X2                | position=20 cost=400 realised=0
correct older, only grown  | B 10@10; B 10@20; B 10@30; C1 12@11          | position=32 cost=632 realised=0
bust older reduction       | B 10@10; S 4@20; B 6@10; X2                  | position=16 cost=160 realised=0
correct price of sold part | B 1000@100; S 999@100; C1 1000@101           | position=1 cost=101 realised=-999
correct price when flat    | B 10@10; S 10@15; C1 10@11                   | position=0 cost=0 realised=40
correct price, other way   | B 10@10; S 15@15; C1 10@11                   | position=-5 cost=-75 realised=40
bust reduced open          | B 10@10; S 4@20; X1; M STK 20                | position=-4 cost=-40 realised=40 unrealised=-40
bust reduction, still open | B 10@10; S 4@20; S 1@20; X2; M STK 20        | position=9 cost=90 realised=10 unrealised=90
correct strategy part      | s1/B 10@10; s2/B 10@20; C1 10@11             | cost=310 s1/STK.cost=110 s2/STK.cost=200
bust after flat            | B 10@10; S 10@12; B 1@5; X1; M STK 5         | position=-9 cash.USD=100115 equity=100070
";

#[test]
fn scenarios() {
    let mut faults = Vec::new();
    for line in SCENARIOS.lines().filter(|line| !line.trim().is_empty()) {
        let [name, steps, expected]: [&str; 3] = line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let (mut book, mut tape) = (book(), Tape::default());
        for words in steps.split(';').map(str::trim).filter(|words| !words.is_empty()) {
            step(&mut book, &mut tape, words);
        }
        for expectation in expected.split_whitespace() {
            let (what, value) = expectation.split_once('=').unwrap();
            let given = answer(&book, what);
            if given != value {
                faults.push(format!("{name}: {what} is {given}, expected {value}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn marks_come_from_sane_quotes_first_then_trades_then_bars() {
    let px = |raw: &str| raw.parse::<Px>().unwrap();
    let stock = instrument("STK");
    let none = Qty::ZERO;
    let one_sided = |bid| match quote(stock, px(bid), px("0")) {
        MarketEvent::Quote(quote) => MarketEvent::Quote(Quote { ask_qty: none, ..quote }),
        other => other,
    };
    // Event, the mark after it, whether equity changed.
    let cases = [
        (bar(stock, px("10")), "10", true),
        (trade(stock, px("10.5")), "10.5", true),
        (trade(stock, px("-1")), "10.5", false),
        (quote(stock, px("11"), px("11.01")), "11.005", true),
        (quote(stock, px("11"), px("11.01")), "11.005", false),
        (trade(stock, px("12")), "11.005", false),
        (bar(stock, px("12")), "11.005", false),
        (quote(stock, px("12"), px("11")), "11.005", false),
        (trade(stock, px("12.5")), "12.5", true),
        (quote(stock, px("12"), px("12")), "12", true),
        (one_sided("13"), "12", false),
        (bar(stock, px("13")), "13", true),
        (quote(stock, px("-2"), px("1")), "13", false),
    ];
    let (mut book, mut tape) = (book(), Tape::default());
    step(&mut book, &mut tape, "B 10@10");
    for (event, mark, changed) in cases {
        assert_eq!(book.handle_market(Nanos::ZERO, &event), changed, "{event:?}");
        assert_eq!(book.mark(stock), Some(px(mark)), "{event:?}");
    }
    let unknown = trade(InstrumentId(99), px("1"));
    assert!(!book.handle_market(Nanos::ZERO, &unknown));
}

#[test]
fn a_dated_rate_is_not_replaced_by_an_older_one() {
    let (mut book, euro) = (book(), Currency::new("EUR").unwrap());
    let (old, new) = (Nanos::from_raw(1), Nanos::from_raw(2));
    assert!(book.set_fx(euro, "1.2".parse().unwrap(), new));
    assert!(!book.set_fx(euro, "1.1".parse().unwrap(), old));
    assert_eq!(book.fx(euro), Some(("1.2".parse().unwrap(), new)));
    assert_eq!(book.fx(Currency::new("CHF").unwrap()), None);
}

#[test]
fn what_is_out_of_range_is_refused_and_changes_nothing() {
    let (mut book, mut tape) = (book(), Tape::default());
    let user = Origin::User(UserId(1));
    let (stock, future) = (instrument("STK"), instrument("ES"));
    let most = Px::from_raw(i64::MAX);
    step(&mut book, &mut tape, "B 1@10");
    let before = book.clone();
    let apply = |book: &mut PositionBook, execution: Execution| book.apply(&execution).unwrap_err();

    let huge = tape.new_execution(user, stock, Side::Buy, Px::from_raw(PX_SMALL), Qty::MAX);
    assert_eq!(apply(&mut book, huge), BookFault::OutOfRange(stock));
    let dear = tape.new_execution(user, future, Side::Buy, most, Qty::MAX);
    assert_eq!(apply(&mut book, dear), BookFault::OutOfRange(future));
    let unknown = tape.new_execution(user, InstrumentId(99), Side::Buy, most, Qty::MAX);
    assert_eq!(apply(&mut book, unknown), BookFault::InstrumentUnknown(InstrumentId(99)));
    let mut fee = tape.told[0];
    fee.kind = ExecutionKind::FeeOnly;
    fee.fill.fee = Some(Fee { amount: Notional::MAX, currency: Currency::new(USD).unwrap() });
    assert_eq!(apply(&mut book, fee), BookFault::OutOfRange(stock));
    assert_eq!(book, before);
}

/// So small that the value of any quantity is in range, so that only the position can leave its own.
const PX_SMALL: i64 = 1;

#[test]
fn a_currency_too_many_is_refused() {
    let (mut book, mut tape) = (book(), Tape::default());
    let mut execution =
        tape.new_execution(Origin::External, instrument("STK"), Side::Buy, "1".parse().unwrap(), Qty::from_units(1));
    let fault = (0..100).find_map(|number| {
        let currency = Currency::new(&format!("C{number:02}")).unwrap();
        execution.fill.fee = Some(Fee { amount: Notional::ZERO, currency });
        book.apply(&execution).err()
    });
    assert!(matches!(fault, Some(BookFault::TooManyCurrencies { .. })), "{fault:?}");
    assert!(!book.set_fx(Currency::new("ZZZ").unwrap(), "1".parse().unwrap(), Nanos::ZERO));
}

#[test]
fn virtual_positions_are_bounded_and_the_oldest_flat_one_makes_room() {
    use argonaut_engine::bounds::STRATEGY_POSITIONS_MAX;
    let (mut book, mut tape) = (book(), Tape::default());
    let (stock, px, one) = (instrument("STK"), "1".parse().unwrap(), Qty::from_units(1));
    let mut fill = |book: &mut PositionBook, strategy: u32, side| -> Applied {
        tape.told.clear();
        let origin = Origin::Strategy(StrategyId(strategy));
        book.apply(&tape.new_execution(origin, stock, side, px, one)).unwrap()
    };
    for strategy in 0..STRATEGY_POSITIONS_MAX as u32 {
        assert_eq!(fill(&mut book, strategy, Side::Buy).unattributed, None);
    }
    let full = fill(&mut book, 1_000_000, Side::Buy);
    assert_eq!(full.unattributed, Some(BookFault::TooManyStrategyPositions));
    assert_eq!(full.strategy, None);
    assert_eq!(full.account.position.raw(), one.raw() * (STRATEGY_POSITIONS_MAX as i64 + 1));

    fill(&mut book, 7, Side::Sell);
    assert_eq!(fill(&mut book, 1_000_000, Side::Buy).unattributed, None);
    assert_eq!(book.view(Some(StrategyId(7)), stock, Nanos::ZERO), None);
    for strategy in [0, 6, 8, STRATEGY_POSITIONS_MAX as u32 - 1, 1_000_000] {
        assert_eq!(book.position(Some(StrategyId(strategy)), stock).raw(), one.raw(), "strategy {strategy}");
    }
}

// ---- the naive twin ------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Op {
    Fill { owner: u32, instrument: u16, buy: bool, px: i64, qty: i64, fee: i64 },
    Correct { pick: usize, px: i64, qty: i64 },
    Bust { pick: usize },
    Mark { instrument: u16, px: i64 },
    Rate { euro: bool, rate: i64 },
}

fn op() -> impl Strategy<Value = Op> {
    let px = 1_i64..2_000_000_000_000;
    let qty = 1_i64..100_000_000_000;
    let instrument = 0..INSTRUMENTS.len() as u16;
    prop_oneof![
        6 => (0..3_u32, instrument.clone(), any::<bool>(), px.clone(), qty.clone(), -5_i64..50)
            .prop_map(|(owner, instrument, buy, px, qty, fee)| Op::Fill { owner, instrument, buy, px, qty, fee }),
        2 => (any::<prop::sample::Index>(), px.clone(), qty)
            .prop_map(|(pick, px, qty)| Op::Correct { pick: pick.index(1 << 20), px, qty }),
        1 => any::<prop::sample::Index>().prop_map(|pick| Op::Bust { pick: pick.index(1 << 20) }),
        3 => (instrument, px).prop_map(|(instrument, px)| Op::Mark { instrument, px }),
        1 => (any::<bool>(), 1_i64..2_000_000_000).prop_map(|(euro, rate)| Op::Rate { euro, rate }),
    ]
}

/// Recomputes everything from the list of executions as they now hold.
struct Naive<'a> {
    tape: &'a Tape,
    fees: &'a [(usize, i128)],
    marks: [Option<i64>; INSTRUMENTS.len()],
    /// Dollar, euro, yen.
    rates: [Option<i64>; 3],
}

impl Naive<'_> {
    fn mine(&self, strategy: Option<StrategyId>, instrument: InstrumentId) -> impl Iterator<Item = &Execution> {
        self.tape.told.iter().filter(move |execution| {
            execution.instrument == instrument && (strategy.is_none() || execution.origin.strategy() == strategy)
        })
    }
    fn position(&self, strategy: Option<StrategyId>, instrument: InstrumentId) -> i64 {
        self.mine(strategy, instrument).map(|execution| execution.fill.qty.signed(execution.side).raw()).sum()
    }
    /// In units of 1e-21, so that fractional multipliers are exact too.
    fn value(instrument: InstrumentId, px: i64, position: i64) -> i128 {
        i128::from(px) * i128::from(position) * i128::from(INSTRUMENTS[instrument.index()].3)
    }
    fn flow(&self, strategy: Option<StrategyId>, instrument: InstrumentId) -> i128 {
        let value = |execution: &Execution| {
            let signed = execution.fill.qty.signed(execution.side).raw();
            -Self::value(instrument, execution.fill.px.raw(), signed)
        };
        self.mine(strategy, instrument).map(value).sum()
    }
    fn fees_of(&self, instrument: InstrumentId) -> i128 {
        self.fees.iter().filter(|(at, _)| self.tape.told[*at].instrument == instrument).map(|(_, fee)| fee).sum()
    }
    fn ids() -> impl Iterator<Item = InstrumentId> {
        (0..INSTRUMENTS.len() as u16).map(InstrumentId)
    }
    fn equity(&self) -> Option<i128> {
        let mut total = 0;
        for (code, rate) in [USD, "EUR", "JPY"].into_iter().zip(self.rates) {
            let mut net = if code == USD { 100_000 * 10_i128.pow(17) } else { 0 };
            let mut open = false;
            for id in Self::ids().filter(|id| INSTRUMENTS[id.index()].2 == code) {
                let position = self.position(None, id);
                open |= position != 0;
                let value = if position == 0 { 0 } else { Self::value(id, self.marks[id.index()]?, position) };
                net += (self.flow(None, id) + value) / 10_000 - self.fees_of(id);
            }
            total += match rate {
                Some(_) if code == USD => net,
                Some(rate) => {
                    net / 1_000_000_000 * i128::from(rate) + net % 1_000_000_000 * i128::from(rate) / 1_000_000_000
                }
                None if open || net != 0 => return None,
                None => 0,
            };
        }
        Some(total)
    }
}

/// Rounded to multiples of 0.01 and 0.0001, so that a multiplier of 0.1 stays exact at 1e-17.
fn on_grid(px: i64, qty: i64) -> (Px, Qty) {
    (Px::from_raw((px / 10_000_000).max(1) * 10_000_000), Qty::from_raw((qty / 10_000).max(1) * 10_000))
}

fn check(book: &PositionBook, naive: &Naive<'_>) -> Result<(), TestCaseError> {
    let now = Nanos::ZERO;
    for id in Naive::ids() {
        let mut parts = (0, 0);
        for strategy in [None, Some(StrategyId(1)), Some(StrategyId(2))] {
            let position = naive.position(strategy, id);
            prop_assert_eq!(book.position(strategy, id).raw(), position);
            let Some(view) = book.view(strategy, id, now) else { continue };
            prop_assert!(position != 0 || view.cost == Notional::ZERO);
            let flow = naive.flow(strategy, id);
            if position == 0 || naive.marks[id.index()].is_some() {
                let value = Naive::value(id, naive.marks[id.index()].unwrap_or(0), position);
                let total = view.realised + view.unrealised.unwrap();
                prop_assert_eq!(total.raw() * 10_000, flow + value, "total of {:?}", view);
            } else {
                prop_assert_eq!(view.unrealised, None);
            }
            prop_assert_eq!((view.realised - view.cost).raw() * 10_000, flow);
            if strategy.is_some() {
                parts = (parts.0 + position, parts.1 + flow);
            }
        }
        // Nothing is lost between the strategies' books, the rest and the account.
        let rest = naive.mine(None, id).filter(|execution| execution.origin.strategy().is_none());
        let rest: i64 = rest.map(|execution| execution.fill.qty.signed(execution.side).raw()).sum();
        prop_assert_eq!(book.position(None, id).raw(), parts.0 + rest);
        if let Some(view) = book.view(None, id, now) {
            prop_assert_eq!(view.fees.raw(), naive.fees_of(id));
        }
    }
    prop_assert_eq!(book.equity().map(Notional::raw), naive.equity());
    Ok(())
}

fn run(ops: &[Op]) -> Result<(), TestCaseError> {
    let (mut book, mut tape) = (book(), Tape::default());
    let mut fees: Vec<(usize, i128)> = Vec::new();
    let (mut marks, mut rates) = ([None; INSTRUMENTS.len()], [Some(0), None, None]);
    for op in ops {
        match op.clone() {
            Op::Fill { owner, instrument, buy, px, qty, fee } => {
                let origin = if owner == 0 { Origin::User(UserId(1)) } else { Origin::Strategy(StrategyId(owner)) };
                let side = if buy { Side::Buy } else { Side::Sell };
                let (px, qty) = on_grid(px, qty);
                let mut execution = tape.new_execution(origin, InstrumentId(instrument), side, px, qty);
                let amount = i128::from(fee) * 10_i128.pow(15);
                let currency = Currency::new(INSTRUMENTS[usize::from(instrument)].2).unwrap();
                execution.fill.fee = Some(Fee { amount: Notional::from_raw(amount), currency });
                fees.push((tape.told.len() - 1, amount));
                book.apply(&execution).unwrap();
            }
            Op::Correct { pick, px, qty } if !tape.told.is_empty() => {
                let (px, qty) = on_grid(px, qty);
                let change = tape.changed(pick % tape.told.len(), Some((px, qty)));
                book.apply(&change).unwrap();
            }
            Op::Bust { pick } if !tape.told.is_empty() => {
                let change = tape.changed(pick % tape.told.len(), None);
                book.apply(&change).unwrap();
            }
            Op::Correct { .. } | Op::Bust { .. } => {}
            Op::Mark { instrument, px } => {
                let (px, _) = on_grid(px, 1);
                book.handle_market(Nanos::ZERO, &quote(InstrumentId(instrument), px, px));
                marks[usize::from(instrument)] = Some(px.raw());
            }
            Op::Rate { euro, rate } => {
                let currency = Currency::new(if euro { "EUR" } else { "JPY" }).unwrap();
                book.set_fx(currency, Px::from_raw(rate), Nanos::ZERO);
                rates[if euro { 1 } else { 2 }] = Some(rate);
            }
        }
        check(&book, &Naive { tape: &tape, fees: &fees, marks, rates })?;
    }
    let saved = postcard::to_stdvec(&book).unwrap();
    let restored: PositionBook = postcard::from_bytes(&saved).unwrap();
    prop_assert_eq!(hash_of(&restored), hash_of(&book));
    prop_assert_eq!(restored, book);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_book_equals_a_recomputation_from_the_executions(ops in prop::collection::vec(op(), 1..60)) {
        run(&ops)?;
    }

    /// Correcting the latest execution leaves the book as if it had been right at once.
    #[test]
    fn a_corrected_latest_execution_leaves_no_trace(
        before in prop::collection::vec((any::<bool>(), 1_i64..1_000, 1_i64..1_000), 0..6),
        wrong in (1_i64..1_000, 1_i64..1_000),
        right in (1_i64..1_000, 1_i64..1_000),
        buy: bool,
    ) {
        let stock = instrument("STK");
        let side = |buy| if buy { Side::Buy } else { Side::Sell };
        let print = |(px, qty): (i64, i64)| (Px::from_raw(px * 10_000_000), Qty::from_raw(qty * 100_000_000));
        let view = |prints: &[(i64, i64)]| {
            let (mut book, mut tape) = (book(), Tape::default());
            for (buy, px, qty) in &before {
                let (px, qty) = print((*px, *qty));
                book.apply(&tape.new_execution(Origin::External, stock, side(*buy), px, qty)).unwrap();
            }
            let (px, qty) = print(prints[0]);
            book.apply(&tape.new_execution(Origin::External, stock, side(buy), px, qty)).unwrap();
            for later in &prints[1..] {
                let change = tape.changed(tape.told.len() - 1, Some(print(*later)));
                book.apply(&change).unwrap();
            }
            book.view(None, stock, Nanos::ZERO)
        };
        prop_assert_eq!(view(&[wrong, right]), view(&[right]));
    }
}

#[test]
fn signed_quantities_never_leave_their_range() {
    let (mut book, mut tape) = (book(), Tape::default());
    let stock = instrument("STK");
    let px = Px::from_raw(1);
    let sell = tape.new_execution(Origin::External, stock, Side::Sell, px, Qty::MAX);
    book.apply(&sell).unwrap();
    let more = tape.new_execution(Origin::External, stock, Side::Sell, px, Qty::from_raw(1));
    assert_eq!(book.apply(&more), Err(BookFault::OutOfRange(stock)));
    assert_eq!(book.position(None, stock), SignedQty::from_raw(-i64::MAX));
}
