-- Executions, one row for each that the venue reported: the trade itself, and every later correction or
-- bust as a row of its own. Nothing is overwritten but the fee, which some venues tell later.
--
-- The venue's id of an execution has a stem and a revision: same stem, higher revision = a correction of
-- the same trade. (venue, stem, revision) identifies an execution for ever.
--
-- `position_delta` says what the row did to the position: +qty or -qty for a trade, the difference for a
-- correction, the opposite for a bust. So
--     SELECT SUM(position_delta_raw) ... GROUP BY instrument_id
-- is the position, exactly, in units of 1e-8.
CREATE TABLE trade_executions (
    venue_id           INTEGER NOT NULL,
    exec_stem          TEXT    NOT NULL,
    exec_revision      INTEGER NOT NULL,
    seq                INTEGER NOT NULL,
    ordinal            INTEGER NOT NULL,
    ts                 INTEGER NOT NULL,
    ts_venue           INTEGER NOT NULL,
    -- 'FeeOnly': the fee of a trade whose own row is not in this database, because the journal's oldest
    -- part was already gone when the projection was built.
    kind               TEXT    NOT NULL CHECK (kind IN ('New', 'Correct', 'Cancel', 'FeeOnly')),
    -- No foreign key: a venue can report a fill of an order that we never knew, and it counts.
    cl_ord_id          INTEGER NOT NULL,
    origin             TEXT    NOT NULL CHECK (origin IN ('Strategy', 'User', 'External')),
    strategy_id        INTEGER,
    user_id            INTEGER,
    instrument_id      INTEGER NOT NULL,
    side               TEXT    NOT NULL CHECK (side IN ('Buy', 'Sell')),
    -- For a correction what now holds, for a bust what it was.
    qty                TEXT    NOT NULL,
    qty_raw            INTEGER NOT NULL,
    px                 TEXT    NOT NULL,
    px_raw             INTEGER NOT NULL,
    -- For a correction: what held before.
    old_qty            TEXT,
    old_px             TEXT,
    position_delta     TEXT    NOT NULL,
    position_delta_raw INTEGER NOT NULL,
    -- Currency of the price; NULL when the instrument is not in the table of instruments.
    currency           TEXT,
    liquidity          TEXT    NOT NULL CHECK (liquidity IN ('Added', 'Removed', 'RoutedOut')),
    -- Positive is paid, negative is a rebate; NULL until the venue has told it.
    fee                TEXT,
    fee_currency       TEXT,
    PRIMARY KEY (venue_id, exec_stem, exec_revision),
    CHECK ((kind = 'Correct') = (old_qty IS NOT NULL)),
    CHECK ((fee IS NULL) = (fee_currency IS NULL))
) STRICT;

-- Lists are newest first, paged by (seq, ordinal). Time is looked up first, as a range of seq.
CREATE INDEX trade_executions_by_seq        ON trade_executions (seq, ordinal);
CREATE INDEX trade_executions_by_time       ON trade_executions (ts, seq);
CREATE INDEX trade_executions_by_order      ON trade_executions (cl_ord_id, seq, ordinal);
CREATE INDEX trade_executions_by_instrument ON trade_executions (instrument_id, seq, ordinal);
CREATE INDEX trade_executions_by_strategy   ON trade_executions (strategy_id, seq, ordinal) WHERE strategy_id IS NOT NULL;
