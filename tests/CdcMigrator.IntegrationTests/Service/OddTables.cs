using CdcMigrator.Domain.Tables;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>Tables whose names and values try every quoting and every text form on the way.</summary>
internal static class OddTables
{
    private const string Schema = "Odd \"Schema\" ö";
    private static readonly TableName Everything = new(Schema, "Select, \"From\" wo.w");

    public static IReadOnlyList<TableMapping> Mappings { get; } =
    [
        new() { Source = Everything, Target = Everything },
        new()
        {
            Source = new TableName("public", "Old Name"),
            Target = new TableName(Schema, "new.name"),
            Exclude = new HashSet<string> { "secret ü" },
            Rename = new Dictionary<string, string> { ["Mail Address"] = "e\"mail", ["user"] = "table", ["table"] = "user" },
        },
        .. new[] { "wide", "only_key", "Only Key", "numbered", "parted" }.Select(name => new TableMapping { Source = new TableName("public", name), Target = new TableName("public", name) }),
    ];

    public static string SourceSchema => Common + """"
        create table public."Old Name" (id int primary key, "Mail Address" text unique, "secret ü" text default 'hidden', "user" text, "table" text);
        """";

    public static string TargetSchema => Common + """"
        create table "Odd ""Schema"" ö"."new.name" ("table" text, id int primary key, "e""mail" text unique, "user" text, added int default 7);
        """";

    /// <summary>Rows of every table, different for every <paramref name="n"/>.</summary>
    public static string Insert(int n) => $$""""
        insert into "Odd ""Schema"" ö"."Select, ""From"" wo.w"("Key One", "key,two", "group", "Order", "user", "a.b", "empty", "null", texts, numbers, grid, moods, bytes, j, x, moment, real, span, range, bits, varbits, fixed, flag, price, net, big)
        values
        (E'tab\t nl\n cr\r back\\slash "q" ''s'' {{n}}', {{n}}.50, 'infinity', 'it''s "ok"', 'größe 😀', E'\\N', '', null, array['a,b', null, 'NULL', '', E'\\ " {}', 'ü'], array[null, 'NaN', 1e-20]::numeric[], '[2:3][-1:0]={{"{{1,2},{null,4}}"}}', array['so so', null, 'größe']::"Odd ""Schema"" ö"."Mood!"[], '\x00ff5c0a', '{"a": null, "ü\n": [1e400, "\\"]}', '<a b="c">&amp;</a>', '4714-11-24 00:00:00+00 BC', '-0', '-1 year 2 mons -3 days 04:05:06.789', '[,5)', b'101', b'', 'ab', true, '-92233720368547758.08', '::1/64', repeat('ä\"' || chr(10), 350000)),
        ('', -0.0{{n}}, '-infinity', 'so so', '', ' ', '', null, '{}', '{}', '{}', '{}', '', 'null', null, 'infinity', 'NaN', '178000000 years', 'empty', b'000', b'1', '', false, 0, '0.0.0.0/0', ''),
        ('{{n}}', 'Infinity', '0044-03-15 BC', 'größe', 'x', repeat('y', 10000), 'null', 'null', array['[]'], array[1e131071, -1e-16383]::numeric[], null, null, decode(repeat('5c', 5000), 'hex'), '"\u20ac"', '', '294276-12-31 23:59:59.999999+00', '1e-310', '0', '(2,3]', b'111', b'1010101010101010101', 'abcde', null, 1, '10.1.2.3', null);
        insert into public."Old Name" select {{n}} * 10 + i, case when i > 1 then 'm' || {{n}} || '@' || i end, 'never seen', 'user ' || i, 'table ' || i from generate_series(1, 3) i;
        insert into public.only_key values ({{n}}, 'a'), ({{n}}, 'b'), ({{n}}, '');
        insert into public."Only Key" values ('{{n}}'), (' {{n}}'), ('{{n}} '), ('"{{n}}"'), ('\{{n}}');
        insert into public.numbered("Value") select 'v' || i from generate_series(1, 3) i;
        insert into public.parted select {{n}} * 1000 + i, i % 2 = 0, 'p' from generate_series(1, 4) i;
        insert into public.wide(id, {{string.Join(", ", Enumerable.Range(1, 120).Where(i => i % 7 == n).Select(i => $"\"c {i}\""))}}) values ({{n}}, {{string.Join(", ", Enumerable.Range(1, 120).Where(i => i % 7 == n).Select(i => $"'value {i}'"))}});
        """";

    /// <summary>Changes of what <see cref="Insert"/> wrote for <paramref name="n"/>: large values stay as they are, keys change, rows go and come again.</summary>
    public static string Change(int n) => $""""
        update "Odd ""Schema"" ö"."Select, ""From"" wo.w" set "empty" = null, "null" = '', flag = not flag where "Key One" like '%{n}%';
        update "Odd ""Schema"" ö"."Select, ""From"" wo.w" set "Key One" = "Key One" || E'\t', real = 'Infinity' where "Key One" like E'tab%{n}';
        update public."Old Name" set "secret ü" = 'still not', "user" = "table", "table" = "user" where id = {n}1;
        update public."Old Name" set "secret ü" = 'only this' where id = {n}2;
        update public."Old Name" set id = -id, "Mail Address" = ' ' || {n} where id = {n}3;
        delete from public.only_key where a = {n} and b = 'a';
        update public.only_key set b = b || 'c' where a = {n} and b <> '';
        update public."Only Key" set "primary" = "primary" where "primary" = '{n}';
        update public."Only Key" set "primary" = "primary" || "primary" where "primary" like ' %{n}';
        delete from public.numbered where "Value" = 'v2';
        update public.numbered set "Value" = null where "Value" = 'v3';
        update public.parted set flag = not flag where id = {n}001;
        update public.wide set "c 3" = null, "c 100" = 'hundred' where id = {n};
        begin; delete from public.wide where id = {n}; insert into public.wide(id, "c 1") values ({n}, 'again'); commit;
        """";

    private static string Common => $""""
        create schema "Odd ""Schema"" ö";
        create type "Odd ""Schema"" ö"."Mood!" as enum ('so so', 'it''s "ok"', 'größe');
        create domain "Odd ""Schema"" ö"."Short Text" as varchar(40) not null check (value <> 'never');
        create table "Odd ""Schema"" ö"."Select, ""From"" wo.w" (
            "Order" "Odd ""Schema"" ö"."Mood!", "user" "Odd ""Schema"" ö"."Short Text", "Key One" text, "a.b" text, "empty" text, "null" text,
            "always ""made""" text generated always as ("a.b" || '!') stored, "key,two" numeric, texts text[], numbers numeric[], grid int[], moods "Odd ""Schema"" ö"."Mood!"[],
            bytes bytea, j json, x xml, moment timestamptz, real float8, span interval, range int4range, bits bit(3), varbits varbit, fixed char(5), flag bool, price money, net inet,
            "group" date, big text, primary key ("group", "Key One", "key,two"));
        alter table "Odd ""Schema"" ö"."Select, ""From"" wo.w" alter big set storage external, alter "a.b" set storage external;
        create table public.wide (id int primary key, {string.Join(", ", Enumerable.Range(1, 120).Select(i => $"\"c {i}\" text"))});
        create table public.only_key (a int, b text, primary key (b, a));
        create table public."Only Key" ("primary" text primary key);
        create table public.numbered (id bigint generated always as identity primary key, "Value" text);
        create table public.parted (id int, flag bool, v text, primary key (id, flag)) partition by list (flag);
        create table public.parted_true partition of public.parted for values in (true);
        create table public.parted_false partition of public.parted for values in (false);
        """";
}
