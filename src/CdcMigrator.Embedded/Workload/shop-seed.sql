-- Statements are separated by blank lines. $1 products, $2 customers, $3 orders.
select setseed(0.42)

insert into products (sku, name, price, tags, attributes, description)
select 'sku-' || i, 'Product ' || i, (i % 500) + 0.99, array['tag' || i % 7, 'a "quoted", one'], jsonb_build_object('weight', i % 90, 'colour', null, 'unicode', 'ä🐘'),
    case when i % 20 = 0 then (select string_agg(md5(i::text || j), '') from generate_series(1, 280) j) end
from generate_series(1, $1) i where $2 + $3 > 0

insert into customers (id, email, name, preferences, nicknames, credit, created_at, biography)
select i, 'customer' || i || '@shop.example', 'Customer ' || i, case when i % 3 > 0 then jsonb_build_object('newsletter', i % 2 = 0, 'n', i / 7.0) end,
    case when i % 4 = 0 then array['', null, 'nick "' || i || '"'] end, case when i % 5 = 0 then i::numeric / 7 end, now() - make_interval(mins => (i % 500000)::int),
    case when i % 50 = 0 then (select string_agg(md5(i::text || j), '') from generate_series(1, 300) j) end
from generate_series(1, $2) i where $1 + $3 > 0

insert into orders (customer_id, status, total, placed_at, labels, details, note)
select 1 + (i * 7919) % $2, (enum_range(null::order_status))[1 + i % 4], (i % 1000) * 1.5, now() - make_interval(secs => (i % 900000)::int),
    case when i % 3 = 0 then array['gift', 'line' || E'\n' || 'break'] end, case when i % 2 = 0 then jsonb_build_object('channel', 'web', 'visits', i % 9) end,
    case when i % 100 = 0 then (select string_agg(md5(i::text || j), '') from generate_series(1, 290) j) end
from generate_series(1, $3) i where $1 > 0

insert into order_items (order_id, line, product_id, quantity, price)
select i, line, 1 + (i * 31 + line) % $1, 1 + (i % 5)::int, ((i + line) % 400) + 0.5
from generate_series(1, $3) i cross join lateral generate_series(1, 1 + (i % 3 = 0)::int) line where $2 > 0

analyze
