-- Views for people with a SQL prompt: symbols instead of ids, times as text.

CREATE VIEW orders_readable AS
SELECT o.cl_ord_id, i.symbol, o.side, o.qty, o.ord_type, o.px, o.stop_px, o.tif, o.status,
       o.cum_qty, o.leaves_qty, o.avg_px, i.currency, o.origin, o.strategy_id, o.user_id,
       o.reason_code, o.reason_text, o.denial_value, o.denial_limit,
       strftime('%Y-%m-%dT%H:%M:%S', o.ts_created / 1000000000, 'unixepoch')
           || printf('.%09dZ', o.ts_created % 1000000000) AS created_utc,
       strftime('%Y-%m-%dT%H:%M:%S', o.ts_updated / 1000000000, 'unixepoch')
           || printf('.%09dZ', o.ts_updated % 1000000000) AS updated_utc
FROM orders o LEFT JOIN instruments i ON i.id = o.instrument_id;

CREATE VIEW order_events_readable AS
SELECT e.seq, e.ordinal,
       strftime('%Y-%m-%dT%H:%M:%S', e.ts / 1000000000, 'unixepoch')
           || printf('.%09dZ', e.ts % 1000000000) AS at_utc,
       e.cl_ord_id, i.symbol, o.side, e.cause, e.cause_detail, e.status, e.qty, e.px, e.stop_px,
       e.cum_qty, e.leaves_qty, e.reason_text
FROM order_events e
JOIN orders o ON o.cl_ord_id = e.cl_ord_id
LEFT JOIN instruments i ON i.id = o.instrument_id;

CREATE VIEW trade_executions_readable AS
SELECT t.seq, t.ordinal,
       strftime('%Y-%m-%dT%H:%M:%S', t.ts / 1000000000, 'unixepoch')
           || printf('.%09dZ', t.ts % 1000000000) AS at_utc,
       t.kind, i.symbol, t.side, t.qty, t.px, t.currency, t.fee, t.fee_currency, t.liquidity,
       t.position_delta, t.cl_ord_id, t.strategy_id, t.exec_stem, t.exec_revision
FROM trade_executions t LEFT JOIN instruments i ON i.id = t.instrument_id;

-- The trades that hold today: of each stem the newest revision, unless that is a bust.
CREATE VIEW trade_executions_standing AS
SELECT t.*
FROM trade_executions t
WHERE t.kind IN ('New', 'Correct')
  AND NOT EXISTS (
      SELECT 1 FROM trade_executions later
      WHERE later.venue_id = t.venue_id
        AND later.exec_stem = t.exec_stem
        AND later.exec_revision > t.exec_revision
        AND later.kind <> 'FeeOnly');

CREATE VIEW positions_readable AS
SELECT p.strategy_id, i.symbol, p.position, p.cost, p.realised, p.unrealised, p.fees, p.mark, p.currency,
       strftime('%Y-%m-%dT%H:%M:%S', p.ts / 1000000000, 'unixepoch')
           || printf('.%09dZ', p.ts % 1000000000) AS at_utc
FROM positions p LEFT JOIN instruments i ON i.id = p.instrument_id;
