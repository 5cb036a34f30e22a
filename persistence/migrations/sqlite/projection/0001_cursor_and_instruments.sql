-- The projection: what the journal says, put into tables that people and programs can ask.
--
-- Everything in this file can be thrown away and written again from the journal. The engine never reads
-- it, and nobody but the projector writes it. Users, sessions and the audit trail live in another file
-- (access.db), because they cannot be rebuilt from anything.
--
-- Habits of every table here:
--   * Money, prices and quantities are exact decimal text ('101.25'); next to some of them stands the
--     scaled integer (`_raw`) so that SUM() is exact. Nothing is ever a float.
--   * Times are integer nanoseconds since 1970-01-01 UTC (`ts...`); the views at the end show them as text.
--   * `seq` is the place of the input in the journal, `ordinal` counts from 0 the rows of the table that came
--     of that input.
--   * Unsigned 64-bit counters are stored with the same bits in a signed 64-bit column. So the ids of orders
--     of other programs, which lie above 2^63, are negative here.

-- How far the projector has come. One row. Written in the same transaction as the rows it speaks of, so
-- that no input is ever counted twice or left out, wherever the process dies.
CREATE TABLE projection_cursor (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    -- The account whose journal is projected here; another account's journal is refused.
    account        TEXT    NOT NULL,
    -- The last input whose outputs are in the tables; 0 before the first.
    seq            INTEGER NOT NULL,
    ts             INTEGER NOT NULL,
    -- The newest checkpoint that the journal carried: hash of the engine's state, and its input.
    state_hash     TEXT,
    state_hash_seq INTEGER,
    CHECK ((state_hash IS NULL) = (state_hash_seq IS NULL))
) STRICT;

-- What can be traded, as configured. Not from the journal: refreshed each time the projector starts.
-- An id never changes its symbol or currency; the projector refuses to start over such a table.
CREATE TABLE instruments (
    id            INTEGER PRIMARY KEY,
    symbol        TEXT    NOT NULL UNIQUE,
    asset_class   TEXT    NOT NULL CHECK (asset_class IN ('Stock', 'Forex', 'Future', 'Crypto')),
    currency      TEXT    NOT NULL,
    tick          TEXT    NOT NULL,
    lot           TEXT    NOT NULL,
    min_qty       TEXT    NOT NULL,
    multiplier    TEXT    NOT NULL,
    -- Initial margin in parts per 10,000 of the notional value.
    margin_bps    INTEGER NOT NULL,
    venue_id      INTEGER NOT NULL
) STRICT;
