-- Who did what, when, from where, and how it ended. Rows are only ever added; the triggers below refuse
-- everything else, whoever asks.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    ts         INTEGER NOT NULL,
    -- NULL when nobody was known yet, as in a failed login; user_name is then what was typed.
    user_id    INTEGER,
    user_name  TEXT    NOT NULL,
    ip         TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    -- Joins the entry with the log lines of the same request.
    request_id TEXT    NOT NULL,
    -- A dotted word: 'auth.login', 'risk.limits.set', 'engine.kill'.
    action     TEXT    NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    -- What it was done to: an order, a user, a strategy; empty when the action says it all.
    target     TEXT    NOT NULL,
    -- JSON before and after, where something was changed.
    before     TEXT,
    after      TEXT,
    result     TEXT    NOT NULL CHECK (result IN ('Ok', 'Refused', 'Failed')),
    -- Reason given by the person, or why it was refused.
    detail     TEXT    NOT NULL
) STRICT;

-- Searched newest first, paged by (ts, id).
CREATE INDEX audit_by_time   ON audit (ts, id);
CREATE INDEX audit_by_user   ON audit (user_id, ts, id);
CREATE INDEX audit_by_action ON audit (action, ts, id);
CREATE INDEX audit_by_result ON audit (result, ts, id);

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE VIEW audit_readable AS
SELECT id,
       strftime('%Y-%m-%dT%H:%M:%S', ts / 1000000000, 'unixepoch')
           || printf('.%09dZ', ts % 1000000000) AS at_utc,
       user_name, ip, action, target, result, detail, before, after
FROM audit;
