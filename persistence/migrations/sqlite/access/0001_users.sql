-- Who may come in. This file (access.db) cannot be rebuilt from the journal, so each commit in it waits
-- for the disk. It is kept apart from the projection: the projector's large transactions never hold up a
-- login, and throwing a projection away never touches a user.
--
-- Times are integer nanoseconds since 1970-01-01 UTC.
CREATE TABLE users (
    -- Counts from 1; 0 is the system itself. Never reused: the journal speaks of users by this number.
    id                  INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 4294967295),
    name                TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- Argon2id in PHC text form, its own salt and cost inside.
    password_hash       TEXT    NOT NULL CHECK (length(password_hash) BETWEEN 1 AND 512),
    role                TEXT    NOT NULL CHECK (role IN ('viewer', 'trader', 'admin')),
    ts_created          INTEGER NOT NULL,
    ts_updated          INTEGER NOT NULL,
    ts_password_changed INTEGER NOT NULL,
    -- Users are never deleted, so that the audit trail keeps its names; they are disabled.
    ts_disabled         INTEGER
) STRICT;

-- Two users whose names differ only in case would be one name to a person reading the audit trail.
CREATE UNIQUE INDEX users_by_name ON users (lower(name));
