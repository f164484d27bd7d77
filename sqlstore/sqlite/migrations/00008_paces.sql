-- +goose Up
-- The turns that the processes of each body have reserved in its limit of calls. Times are in
-- microseconds. All of them except seen_at count from seen_at, so a clock that jumps changes only the
-- time that has passed since then.
CREATE TABLE flussi_paces (
    name TEXT NOT NULL PRIMARY KEY, -- of the body
    seen_at INTEGER NOT NULL, -- the last request, by this machine's clock, since 1970
    next_in INTEGER NOT NULL, -- until the next turn is free
    held_for INTEGER NOT NULL, -- until calls may start, since the platform asked to wait
    share REAL NOT NULL, -- of the full rate, after 429s
    turns INTEGER NOT NULL, -- granted by the last request
    start_in INTEGER NOT NULL, -- until the first of them
    step INTEGER NOT NULL -- between them, in nanoseconds
);
