-- Rows that are there before anything streams: the snapshot.
set role shop_owner;

insert into customers(email, name, preferences)
select format('customer%s@shop.example', n), format('Customer %s', n), jsonb_build_object('newsletter', n % 3 = 0, 'language', (array['en', 'de', 'fr'])[n % 3 + 1])
from generate_series(1, 2000) n;

insert into products(sku, title, price, tags, weight_grams)
select format('SKU-%s', n), format('Product %s', n), (n % 900) + 0.99, array[format('group%s', n % 7), 'shop'], nullif(n % 5, 0) * 100
from generate_series(1, 500) n;

insert into orders(customer_id, status, note, placed_at, delivered_within)
select n % 2000 + 1, (array['new', 'paid', 'shipped', 'cancelled'])[n % 4 + 1]::order_status,
       case when n % 10 = 0 then 'übergeben ✓' end, timestamp '2026-01-01' + n * interval '7 minutes', case when n % 4 = 2 then make_interval(days => n % 9, hours => 5) end
from generate_series(1, 20000) n;

insert into order_items(order_id, line, sku, quantity, unit_price)
select o.id, line, format('SKU-%s', (o.id * line) % 500 + 1), line + 1, ((o.id * line) % 900) + 0.99
from orders o, generate_series(1, 3) line;

insert into documents(order_id, body)
select id, repeat(md5(id::text), 300) from orders where id % 100 = 0;

reset role;
analyze;
