-- What opened and closed trading, and what people should know. Rare rows, never rewritten.

-- A breaker tripped (with the measured value and its limit) or was re-armed (by whom and why).
CREATE TABLE breaker_events (
    seq         INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    ts          INTEGER NOT NULL,
    breaker     TEXT    NOT NULL CHECK (breaker IN (
        'DailyLoss', 'Drawdown', 'RejectRate', 'StaleData', 'LatencyBudget', 'Manual', 'Fault')),
    event       TEXT    NOT NULL CHECK (event IN ('Tripped', 'Rearmed')),
    action      TEXT    CHECK (action IN ('Reduce', 'Halt', 'HaltAndCancel')),
    -- Exact text: an amount of the account's currency, a count, or nanoseconds; `unit` says which.
    value       TEXT,
    limit_value TEXT,
    unit        TEXT    CHECK (unit IN ('Amount', 'Count', 'Nanos')),
    window_ns   INTEGER,
    reason      TEXT,
    user_id     INTEGER,
    ts_tripped  INTEGER,
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;

-- Whether orders may be sent, and where the engine stands in its own life. `trading` is NULL when only
-- the engine's state was told.
CREATE TABLE trading_events (
    seq     INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    ts      INTEGER NOT NULL,
    trading TEXT    CHECK (trading IN ('Active', 'Reducing', 'Halted')),
    engine  TEXT    NOT NULL CHECK (engine IN ('Stopped', 'Starting', 'Running', 'Stopping')),
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;

-- The talk with each venue: connected, reconciling, ready, lost.
CREATE TABLE session_events (
    seq           INTEGER NOT NULL,
    ordinal       INTEGER NOT NULL,
    ts            INTEGER NOT NULL,
    venue_id      INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN (
        'Disconnected', 'Connecting', 'LoggedOn', 'Reconciling', 'Ready', 'Draining')),
    reason        TEXT    NOT NULL,
    -- Orders whose outcome was not known at that moment.
    unknown_count INTEGER NOT NULL,
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;

-- The risk and breaker limits after each change, in the engine's own units (prices 1e-9, quantities 1e-8,
-- amounts 1e-17, spans in nanoseconds), with who changed them and why when a command did.
CREATE TABLE limit_changes (
    seq     INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    ts      INTEGER NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('Risk', 'Breaker')),
    limits  TEXT    NOT NULL,
    user_id INTEGER,
    reason  TEXT,
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;

-- Things that need a person: a fill of an order nobody knows, a position that differs from the venue's.
CREATE TABLE alerts (
    seq           INTEGER NOT NULL,
    ordinal       INTEGER NOT NULL,
    ts            INTEGER NOT NULL,
    alert         TEXT    NOT NULL,
    cl_ord_id     INTEGER,
    instrument_id INTEGER,
    strategy_id   INTEGER,
    -- The numbers of the alert as plain words, 'ours=100 venue=90'.
    detail        TEXT    NOT NULL,
    PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;
