-- One row for each login: a family of refresh tokens that follow each other.
CREATE TABLE user_sessions (
    -- Drawn by the gateway from the operating system's entropy.
    family         TEXT    PRIMARY KEY CHECK (length(family) BETWEEN 16 AND 64),
    user_id        INTEGER NOT NULL REFERENCES users (id),
    -- How many times the token was exchanged for the next one.
    rotation       INTEGER NOT NULL CHECK (rotation >= 0),
    ts_created     INTEGER NOT NULL,
    ts_used        INTEGER NOT NULL,
    -- No rotation moves this: after it the user must give the password again.
    ts_expires     INTEGER NOT NULL,
    ts_revoked     INTEGER,
    revoked_reason TEXT    CHECK (revoked_reason IN ('Logout', 'Reuse', 'Admin', 'PasswordChanged', 'Disabled')),
    user_agent     TEXT    NOT NULL,
    ip             TEXT    NOT NULL,
    CHECK ((ts_revoked IS NULL) = (revoked_reason IS NULL))
) STRICT;

CREATE INDEX user_sessions_by_user    ON user_sessions (user_id, ts_created);
CREATE INDEX user_sessions_by_expires ON user_sessions (ts_expires);

-- Every token a family ever had, as SHA-256 of the token: a stolen database opens nothing. A token that
-- comes back after it was exchanged has been copied by somebody, and its whole family is revoked; that is
-- why used tokens are kept until the family goes.
CREATE TABLE user_session_tokens (
    token_hash TEXT    PRIMARY KEY CHECK (length(token_hash) = 64),
    family     TEXT    NOT NULL REFERENCES user_sessions (family) ON DELETE CASCADE,
    rotation   INTEGER NOT NULL,
    ts_issued  INTEGER NOT NULL,
    ts_expires INTEGER NOT NULL,
    ts_used    INTEGER,
    UNIQUE (family, rotation)
) STRICT, WITHOUT ROWID;
