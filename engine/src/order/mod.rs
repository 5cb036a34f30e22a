//! Orders: what is asked of a venue, what a venue answers, and where an order stands.

pub mod status;
pub mod table;
pub mod watch;

use crate::ids::{ClOrdId, ExecKey, InstrumentId, Origin, VenueId, VenueOrderId};
use crate::risk::Denial;
use crate::text::Text;
use crate::units::{Currency, Money, Nanos, Notional, Px, Qty};
use serde::{Deserialize, Serialize};

/// FIX Side (54).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// FIX OrdType (40) with the prices that the type needs: FIX Price (44) and StopPx (99).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Pricing {
    Market,
    Limit { px: Px },
    Stop { stop_px: Px },
    StopLimit { px: Px, stop_px: Px },
}

impl Pricing {
    /// FIX Price (44).
    #[must_use]
    pub const fn px(self) -> Option<Px> {
        match self {
            Self::Limit { px } | Self::StopLimit { px, .. } => Some(px),
            Self::Market | Self::Stop { .. } => None,
        }
    }
    /// FIX StopPx (99).
    #[must_use]
    pub const fn stop_px(self) -> Option<Px> {
        match self {
            Self::Stop { stop_px } | Self::StopLimit { stop_px, .. } => Some(stop_px),
            Self::Market | Self::Limit { .. } => None,
        }
    }
    /// Same FIX OrdType, whatever the prices.
    #[must_use]
    pub const fn same_type(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Market, Self::Market)
                | (Self::Limit { .. }, Self::Limit { .. })
                | (Self::Stop { .. }, Self::Stop { .. })
                | (Self::StopLimit { .. }, Self::StopLimit { .. })
        )
    }
}

/// FIX TimeInForce (59).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum TimeInForce {
    /// Until the close of the session.
    Day,
    /// Until canceled.
    Gtc,
    /// What can be had at once, the rest is canceled.
    Ioc,
    /// All at once or nothing.
    Fok,
}

/// FIX OrdStatus (39), with two words of our own: `Denied` (refused by our gate, never sent; outward it
/// reads Rejected with our code) and `Unknown` (sent, and no proof of what became of it).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum OrdStatus {
    PendingNew,
    New,
    PartiallyFilled,
    Filled,
    PendingCancel,
    Canceled,
    PendingReplace,
    Rejected,
    Expired,
    Suspended,
    Denied,
    Unknown,
}

/// FIX ExecType (150): what this report says happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ExecType {
    New,
    Trade,
    Canceled,
    Replaced,
    Rejected,
    Expired,
    PendingCancel,
    PendingReplace,
    Suspended,
    /// The venue changed the order without being asked (price or quantity), FIX D.
    Restated,
    /// An earlier execution was corrected, FIX G.
    TradeCorrect,
    /// An earlier execution was busted, FIX H.
    TradeCancel,
    /// Answer to a status request, FIX I.
    OrderStatus,
}

/// FIX LastLiquidityInd (851).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Liquidity {
    Added,
    Removed,
    RoutedOut,
}

/// What is wanted of a new order, before anybody has judged it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct OrderSpec {
    pub instrument: InstrumentId,
    pub side: Side,
    pub qty: Qty,
    pub pricing: Pricing,
    pub tif: TimeInForce,
}

/// FIX NewOrderSingle (D).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct NewOrder {
    pub cl_ord_id: ClOrdId,
    pub origin: Origin,
    pub spec: OrderSpec,
}

/// FIX OrderCancelReplaceRequest (G). The order keeps its `ClOrdId`, `revision` counts its replaces.
/// `qty` is the new total quantity, fills included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ReplaceOrder {
    pub cl_ord_id: ClOrdId,
    pub revision: u32,
    pub instrument: InstrumentId,
    pub qty: Qty,
    pub pricing: Pricing,
}

/// FIX OrderCancelRequest (F).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct CancelOrder {
    pub cl_ord_id: ClOrdId,
    pub instrument: InstrumentId,
}

/// What a session asks of its venue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Request {
    New(NewOrder),
    Replace(ReplaceOrder),
    Cancel(CancelOrder),
    /// FIX OrderStatusRequest (H): answered by `OrderStatus`, or `Rejected` with `UnknownOrder`.
    Status {
        cl_ord_id: ClOrdId,
    },
    /// FIX OrderMassStatusRequest (AF): every open order, every execution since `since`, then `End`.
    MassStatus {
        since: Nanos,
    },
    /// FIX OrderMassCancelRequest (q), all orders.
    MassCancel,
}

/// Why a venue refused, FIX OrdRejReason (103) and CxlRejReason (102) folded to what changes behaviour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum RejectReason {
    UnknownInstrument,
    ExchangeClosed,
    UnknownOrder,
    /// Too late to cancel or replace: the order is final.
    TooLate,
    DuplicateOrder,
    IncorrectQuantity,
    IncorrectPrice,
    UnsupportedType,
    /// A fill-or-kill or market order found no liquidity.
    NoLiquidity,
    Other,
}

/// The execution in a report of type Trade, TradeCorrect or TradeCancel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Fill {
    pub key: ExecKey,
    /// FIX LastPx (31).
    pub px: Px,
    /// FIX LastQty (32). For a correction the quantity that now holds; for a bust what it was.
    pub qty: Qty,
    pub liquidity: Liquidity,
    /// Commission and fees of this fill: positive is paid, negative is a rebate. `None` when the venue
    /// reports it later.
    pub fee: Option<Fee>,
}

/// FIX Commission (12) with its currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Fee {
    pub amount: Notional,
    pub currency: Currency,
}

impl Fee {
    pub fn to_money(self) -> Result<Money, crate::units::UnitError> {
        self.amount.to_money(self.currency)
    }
}

/// FIX ExecutionReport (8): all that a venue says about one order, in one form for every venue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ExecutionReport {
    pub venue: VenueId,
    pub cl_ord_id: ClOrdId,
    pub venue_order_id: Option<VenueOrderId>,
    pub exec_type: ExecType,
    /// Which replace this answers (Replaced) or the newest the venue has applied.
    pub revision: u32,
    pub instrument: InstrumentId,
    pub side: Side,
    /// Total quantity and prices as the venue now has them.
    pub order_qty: Qty,
    pub pricing: Pricing,
    pub tif: TimeInForce,
    /// FIX CumQty (14).
    pub cum_qty: Qty,
    /// FIX LeavesQty (151): zero when the order is final.
    pub leaves_qty: Qty,
    pub fill: Option<Fill>,
    pub reject: Option<RejectReason>,
    /// The venue's own words.
    pub text: Text<64>,
    /// FIX TransactTime (60).
    pub ts_venue: Nanos,
    /// FIX PossDupFlag (43) in spirit: sent again in answer to a status request.
    pub resent: bool,
}

/// What a refused cancel or replace had asked, FIX CxlRejResponseTo (434).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum CancelRejectTo {
    Cancel,
    Replace,
}

/// FIX OrderCancelReject (9): the order goes back to where it stood before the request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct CancelReject {
    pub venue: VenueId,
    pub cl_ord_id: ClOrdId,
    pub response_to: CancelRejectTo,
    pub revision: u32,
    pub reason: RejectReason,
    pub text: Text<64>,
    pub ts_venue: Nanos,
}

/// Why an order is where it is, where the status alone does not say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum OrderReason {
    Denied(Denial),
    Rejected { reason: RejectReason, text: Text<64> },
}

/// Where an order stands beneath the requests in flight: what a refused cancel or replace restores.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Standing {
    /// The venue has not spoken of it yet.
    #[default]
    Unacknowledged,
    /// The venue has it.
    Open,
    /// The venue has it and does not work it (a locate, an auction, a halt), FIX OrdStatus 9.
    Suspended,
}

/// One order as the engine knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Order {
    pub cl_ord_id: ClOrdId,
    pub venue_order_id: Option<VenueOrderId>,
    pub venue: VenueId,
    pub origin: Origin,
    pub spec: OrderSpec,
    pub status: OrdStatus,
    /// What the status goes back to when nothing is in flight any more. Changed with the status only.
    pub standing: Standing,
    /// Replaces asked for so far; the newest that the venue has confirmed is `revision_confirmed`.
    pub revision: u32,
    pub revision_confirmed: u32,
    /// What a replace in flight asks for.
    pub pending_replace: Option<(Qty, Pricing)>,
    /// A cancel is in flight.
    pub pending_cancel: bool,
    pub cum_qty: Qty,
    /// Sum of price times quantity over the fills, before the multiplier; average = this / cum_qty.
    pub cum_value: Notional,
    pub reason: Option<OrderReason>,
    pub ts_created: Nanos,
    pub ts_updated: Nanos,
}

impl Order {
    /// FIX LeavesQty (151): what can still fill; zero when final.
    #[must_use]
    pub fn leaves_qty(&self) -> Qty {
        if self.status.is_final() { Qty::ZERO } else { self.spec.qty.saturating_sub(self.cum_qty) }
    }
    /// The largest quantity that can still fill, whichever of the requests in flight the venue has seen.
    #[must_use]
    pub fn worst_leaves_qty(&self) -> Qty {
        if self.status.is_final() {
            return Qty::ZERO;
        }
        let wanted = self.pending_replace.map_or(Qty::ZERO, |(qty, _)| qty);
        self.spec.qty.max(wanted).saturating_sub(self.cum_qty)
    }
    /// FIX AvgPx (6), for display: rounded down to 1e-9.
    #[must_use]
    pub fn avg_px(&self) -> Option<Px> {
        if self.cum_qty.is_zero() {
            return None;
        }
        let raw = self.cum_value.raw().div_euclid(i128::from(self.cum_qty.raw()));
        i64::try_from(raw).ok().map(Px::from_raw)
    }
}

impl OrdStatus {
    /// Nothing can happen to it any more, save a late or corrected fill.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Filled | Self::Canceled | Self::Rejected | Self::Expired | Self::Denied => true,
            Self::PendingNew
            | Self::New
            | Self::PartiallyFilled
            | Self::PendingCancel
            | Self::PendingReplace
            | Self::Suspended
            | Self::Unknown => false,
        }
    }
}
