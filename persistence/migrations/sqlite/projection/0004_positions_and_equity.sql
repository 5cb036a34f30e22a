-- Positions as the engine's book last told them. strategy_id 0 is the account itself (real deployments
-- count from 1); other rows are the virtual positions of single strategies. Amounts are in the
-- instrument's currency, multiplier included.
CREATE TABLE positions (
    strategy_id   INTEGER NOT NULL,
    instrument_id INTEGER NOT NULL,
    currency      TEXT    NOT NULL,
    position      TEXT    NOT NULL,
    position_raw  INTEGER NOT NULL,
    -- Signed exact cost of what is open: average price = cost / (position x multiplier).
    cost          TEXT    NOT NULL,
    realised      TEXT    NOT NULL,
    -- NULL while no mark is known.
    unrealised    TEXT,
    -- Fees paid in the instrument's currency, and in the account's where that is another one.
    fees          TEXT    NOT NULL,
    fees_account  TEXT    NOT NULL,
    mark          TEXT,
    ts            INTEGER NOT NULL,
    updated_seq   INTEGER NOT NULL,
    PRIMARY KEY (strategy_id, instrument_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX positions_by_instrument ON positions (instrument_id, strategy_id);

-- The equity curve: for each second of engine time in which the account changed, how it stood last in
-- that second. Sampling by engine time and not by the wall clock is what makes a rebuilt curve equal.
CREATE TABLE account_equity (
    -- Seconds since 1970-01-01 UTC.
    second     INTEGER PRIMARY KEY,
    ts         INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    currency   TEXT    NOT NULL,
    -- Sums in the account's currency; NULL while a rate or the mark of an open position is missing.
    equity     TEXT,
    realised   TEXT,
    unrealised TEXT,
    fees       TEXT,
    -- JSON object: currency -> exact amount as text.
    cash       TEXT    NOT NULL
) STRICT;
