-- Deployments of strategies, one row for each version of their parameters. The highest version is the one
-- that runs; the rows below it keep the state in which they were replaced.
CREATE TABLE strategy_deployments (
    strategy_id    INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    -- The built-in kind, for example ema_cross, and the user's own name for this deployment.
    kind           TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    -- JSON array of instrument ids.
    instruments    TEXT    NOT NULL,
    -- JSON object; decimals are text, so that they stay exact.
    params         TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('Running', 'Paused', 'Stopped', 'Faulted')),
    restarts_count INTEGER NOT NULL,
    ts_deployed    INTEGER NOT NULL,
    ts_updated     INTEGER NOT NULL,
    deployed_seq   INTEGER NOT NULL,
    updated_seq    INTEGER NOT NULL,
    PRIMARY KEY (strategy_id, version)
) STRICT, WITHOUT ROWID;
