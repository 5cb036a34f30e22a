-- Orders as they stand now, one row each: sent, working, final, and those that the risk gate denied
-- (status 'Denied'; they never left the process).
CREATE TABLE orders (
    cl_ord_id          INTEGER PRIMARY KEY,
    -- The venue's own id, once it has given one. Text: venues count in their own ways.
    venue_order_id     TEXT,
    venue_id           INTEGER NOT NULL,
    -- Who asked for it. 'External': found at the venue, placed by hand or by another program.
    origin             TEXT    NOT NULL CHECK (origin IN ('Strategy', 'User', 'External')),
    strategy_id        INTEGER,
    user_id            INTEGER,
    -- No foreign key: an order for an instrument that nobody knows is denied, and shown here all the same.
    instrument_id      INTEGER NOT NULL,
    side               TEXT    NOT NULL CHECK (side IN ('Buy', 'Sell')),
    ord_type           TEXT    NOT NULL CHECK (ord_type IN ('Market', 'Limit', 'Stop', 'StopLimit')),
    qty                TEXT    NOT NULL,
    px                 TEXT,
    stop_px            TEXT,
    tif                TEXT    NOT NULL CHECK (tif IN ('Day', 'Gtc', 'Ioc', 'Fok')),
    status             TEXT    NOT NULL CHECK (status IN (
        'PendingNew', 'New', 'PartiallyFilled', 'Filled', 'PendingCancel', 'Canceled',
        'PendingReplace', 'Rejected', 'Expired', 'Suspended', 'Denied', 'Unknown')),
    -- Where it goes back to when nothing is in flight any more.
    standing           TEXT    NOT NULL CHECK (standing IN ('Unacknowledged', 'Open', 'Suspended')),
    -- 1 while something can still happen to it at the venue.
    open               INTEGER NOT NULL CHECK (open IN (0, 1)),
    -- Replaces asked for, and the newest one that the venue has confirmed.
    revision           INTEGER NOT NULL,
    revision_confirmed INTEGER NOT NULL,
    -- What a replace in flight asks for.
    pending_qty        TEXT,
    pending_px         TEXT,
    pending_stop_px    TEXT,
    pending_cancel     INTEGER NOT NULL CHECK (pending_cancel IN (0, 1)),
    cum_qty            TEXT    NOT NULL,
    leaves_qty         TEXT    NOT NULL,
    -- Sum of price times quantity over the fills, before the multiplier: exact.
    cum_value          TEXT    NOT NULL,
    -- cum_value / cum_qty rounded down to nine digits: for display, never for sums.
    avg_px             TEXT,
    -- Why it was denied by us or rejected by the venue. For a denial: the stable code (RISK-2108), its
    -- name, the value that was judged and the limit it was judged by.
    reason             TEXT    CHECK (reason IN ('Denied', 'Rejected')),
    reason_code        TEXT,
    reason_text        TEXT,
    denial_value       TEXT,
    denial_limit       TEXT,
    -- The denial with all its numbers as JSON, in the engine's own units.
    denial             TEXT,
    ts_created         INTEGER NOT NULL,
    ts_updated         INTEGER NOT NULL,
    -- The inputs that first and last touched it.
    created_seq        INTEGER NOT NULL,
    updated_seq        INTEGER NOT NULL,
    CHECK ((origin = 'Strategy') = (strategy_id IS NOT NULL)),
    CHECK ((origin = 'User') = (user_id IS NOT NULL)),
    CHECK ((reason IS NULL) = (reason_code IS NULL))
) STRICT;

-- Each list of the API is newest first and paged by cl_ord_id, so every filter that can stand alone has an
-- index that ends in it. A time is first looked up as a range of cl_ord_id.
CREATE INDEX orders_by_time       ON orders (ts_created, cl_ord_id);
CREATE INDEX orders_by_status     ON orders (status, cl_ord_id);
CREATE INDEX orders_by_instrument ON orders (instrument_id, cl_ord_id);
CREATE INDEX orders_by_strategy   ON orders (strategy_id, cl_ord_id) WHERE strategy_id IS NOT NULL;
-- Few orders are open at any time, so this one stays tiny however long the history grows.
CREATE INDEX orders_open          ON orders (open, cl_ord_id) WHERE open = 1;

-- Every change of every order, never rewritten: what caused it and how the order stood afterwards.
CREATE TABLE order_events (
    seq          INTEGER NOT NULL,
    ordinal      INTEGER NOT NULL,
    ts           INTEGER NOT NULL,
    cl_ord_id    INTEGER NOT NULL REFERENCES orders (cl_ord_id),
    cause        TEXT    NOT NULL CHECK (cause IN (
        'Submitted', 'Denied', 'ReplaceDenied', 'CancelSent', 'ReplaceSent', 'Reported',
        'CancelRejected', 'OutcomeUnknown', 'Adopted')),
    -- With 'Reported': the FIX ExecType. With 'ReplaceDenied' and 'Denied': the code of the denial.
    cause_detail TEXT,
    status       TEXT    NOT NULL CHECK (status IN (
        'PendingNew', 'New', 'PartiallyFilled', 'Filled', 'PendingCancel', 'Canceled',
        'PendingReplace', 'Rejected', 'Expired', 'Suspended', 'Denied', 'Unknown')),
    revision     INTEGER NOT NULL,
    qty          TEXT    NOT NULL,
    px           TEXT,
    stop_px      TEXT,
    cum_qty      TEXT    NOT NULL,
    leaves_qty   TEXT    NOT NULL,
    reason_text  TEXT,
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX order_events_by_order ON order_events (cl_ord_id, seq, ordinal);
