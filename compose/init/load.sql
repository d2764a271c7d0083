-- One small transaction of the shop's application, five times a second: insert, update beside a long text, key change, delete.
with customer as (
    select id from customers order by random() limit 1
), placed as (
    insert into orders(customer_id, note) select id, md5(random()::text) from customer returning id
), items as (
    insert into order_items(order_id, line, sku, quantity, unit_price)
    select placed.id, line, format('SKU-%s', (random() * 499)::int + 1), line, 9.99 from placed, generate_series(1, 3) line
), document as (
    insert into documents(order_id, body) select id, repeat(md5(id::text), 300) from placed
), paid as (
    update orders set status = 'paid' where id in (select id from orders where status = 'new' order by random() limit 3)
), seen as (
    update documents set seen = seen + 1 where id in (select id from documents order by random() limit 2)
)
delete from orders where id in (select id from orders where status = 'cancelled' order by random() limit 1);
\watch 0.2
