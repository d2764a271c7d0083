using System.Globalization;
using CdcMigrator.Domain.Tables;
using static CdcMigrator.EndToEndTests.Types.ZooColumn;

namespace CdcMigrator.EndToEndTests.Types;

/// <summary>
/// Every PostgreSQL type with values at its edges, in few wide tables: <c>plain</c> and <c>arrays</c> of small values, <c>large</c> of values
/// stored out of line, <c>defaults</c> of nullable columns with a default.
/// </summary>
internal static class TypeZoo
{
    private const string T = "(select string_agg(md5(i::text), '') from generate_series(1, 85) i)";

    private const string Types = """
        create schema other;
        create extension citext; create extension hstore; create extension ltree; create extension cube; create extension isn;
        create type mood as enum ('ok', 'très bad', 'a,b', 'q"\'); create type other.mood as enum ('other');
        create type pair as (x int, y text); create type span as range (subtype = float8);
        create domain short_text as varchar(20); create domain shorter as short_text; create domain amount as numeric(12, 2);
        create domain whens as timestamptz; create domain words as text[]; create domain zoned as timetz;

        """;

    /// <summary>Types whose values are not arrays.</summary>
    public static IReadOnlyList<ZooColumn> Plain { get; } =
    [
        new("boolean", "t", "f"),
        new("smallint", "-32768", "32767"),
        new("integer", "-2147483648", "2147483647"),
        new("bigint", "9007199254740993", "-9223372036854775808", "9223372036854775807"),
        new("oid", "4294967295", "0"),
        new("numeric", "1.1000", "NaN", "Infinity", "-Infinity", "-0.000001", "123456789012345678901234567890.1234567890", "1e400") { Large = "repeat('1234567890', 600)::numeric" },
        new("numeric(24,4)", "12.3000", "-99999999999999999999.9999", "0", "NaN"),
        new("numeric(6,-2)", "12345", "-99900"),
        new("real", "1.4e-45", "-0", "NaN", "Infinity", "-Infinity", "3.4028235e38", "16777216"),
        new("double precision", "0.1", "-0", "NaN", "Infinity", "-Infinity", "1.7976931348623157e308", "5e-324"),
        new("money", "1.10", "-0.01", "92233720368547758.07", "-92233720368547758.08", "90071992547409.93"),
        new("character(5)", "ab", "", "é😀") { Large = null },
        new("bpchar", "ab  ", ""),
        new("character varying(4000)", "varchar  ", "") { Large = "t" },
        new("text", "line\nline\ttab\"quote\\back", "", "😀\u2028é\u0001\uffff", "\\N", "null", "{}", "__debezium_unavailable_value") { Large = "t" },
        new("name", "a name", ""),
        new("\"char\"", "x", "", "\\"),
        new("citext", "CiText", "") { Large = "t" },
        new("bytea", "\\x0001ff", "\\x", "\\x5f5f646562657a69756d5f756e617661696c61626c655f76616c7565") { Large = "decode(t || t, 'hex')" },
        new("date", "2024-02-29", "0001-01-01", "5874897-12-31", "infinity", "-infinity", "0044-03-15 BC", "2001-02-29 BC", "4713-01-01 BC", "1582-10-04", "1582-10-10", "1582-10-15", "1582-10-24"),
        new("time", "12:34:56.789012", "24:00:00", "00:00:00"),
        new("time(0)", "12:34:56", "24:00:00"),
        new("time(3)", "12:34:56.789", "24:00:00"),
        new("timetz", "12:34:56.789012+05:30", "24:00:00-12", "00:00:00+00"),
        new("timetz(0)", "12:34:56+05:30"),
        new("timestamp", "2024-02-29 12:34:56.789012", "infinity", "-infinity", "0001-01-01 00:00:00", "0044-03-15 12:00:00 BC", "4713-01-01 00:00:00 BC", "1582-10-10", "1582-10-15", "294247-01-10 04:00:54.775807", "294276-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999"),
        new("timestamp(0)", "2024-02-29 12:34:56", "1500-01-01 00:00:00", "infinity"),
        new("timestamp(3)", "2024-02-29 12:34:56.789", "1500-01-01 00:00:00.5", "-infinity"),
        new("timestamptz", "2024-02-29 12:34:56.789012+02", "infinity", "-infinity", "0001-01-01 00:00:00+00", "0044-03-15 12:00:00+00 BC", "2000-01-01 00:00:00+00 BC", "1582-10-10 00:00:00+00", "20000-01-01 00:00:00+00", "294276-12-31 23:59:59.999999+00"),
        new("timestamptz(0)", "2024-02-29 12:34:56+00", "1500-01-01 00:00:00+00"),
        new("interval", "1 mon 2 days 00:00:03.5", "-1 years -2 mons +3 days -04:05:06.789", "-00:00:00.000001", "178956970 years", "5 days -00:00:01", "00:00:00", "-1 days", "2147483647:59:59.999999"),
        new("interval year to month", "1 year 2 mons", "-5 mons"),
        new("interval(2)", "00:00:01.23"),
        new("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"),
        new("inet", "10.0.0.1/24", "10.0.0.1", "::1", "fe80::/10"),
        new("cidr", "10.0.0.0/8", "10.0.0.1/32"),
        new("macaddr", "08:00:2b:01:02:03"),
        new("macaddr8", "08:00:2b:01:02:03:04:05"),
        new("json", "{\"b\":1, \"a\" : 1e400, \"a\":2}", "null", " [1 , \"\\u0000x\"]") { Large = "to_json(t)" },
        new("jsonb", "{\"b\": 1.10, \"a\": [null, \"x\"]}", "\"\\\\n\"", "null", "{}") { Large = "to_jsonb(t)" },
        new("xml", "<a b=\"1\">t</a>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>", "plain <b/>", "") { Large = "('<a>' || t || '</a>')::xml" },
        new("bit(1)", "1", "0"),
        new("bit(12)", "101000000001", "000000000000", "111111111111"),
        new("bit(20000)", "1") { Large = "repeat('10110', 4000)::bit(20000)" },
        new("bit varying", "00101", "", "0", "101") { Large = "repeat('10110', 4000)::varbit" },
        new("bit varying(12)", "00101", ""),
        new("point", "(1.1,-2.5)", "(1e300,-0)", "(NaN,Infinity)"),
        new("line", "{1,2,3}"),
        new("lseg", "[(0,0),(1,1)]"),
        new("box", "(1,1),(0,0)"),
        new("path", "((0,0),(1,1))", "[(0,0),(1,1)]") { Large = "('(' || (select string_agg(format('(%s,%s)', i, i), ',') from generate_series(1, 200) i) || ')')::path" },
        new("polygon", "((0,0),(1,1),(2,0))") { Large = "('(' || (select string_agg(format('(%s,%s)', i, i), ',') from generate_series(1, 200) i) || ')')::polygon" },
        new("circle", "<(0,0),2>"),
        new("pg_lsn", "16/B374D848"),
        new("xid", "4294967295"),
        new("xid8", "12345678901"),
        new("cid", "7"),
        new("tid", "(0,1)"),
        new("pg_snapshot", "10:20:10,14,15"),
        new("regclass", "pg_class"),
        new("regtype", "integer"),
        new("jsonpath", "$.\"a\"[*]?(@ > 1)"),
        new("tsvector", "'a':1A 'fat''s':2,3B", "") { Large = "array_to_tsvector((select array_agg(md5(i::text)) from generate_series(1, 85) i))" },
        new("tsquery", "'a' & !'b':*", ""),
        new("ltree", "Top.Science", "") { Large = "(select string_agg('l' || i, '.') from generate_series(1, 700) i)::ltree" },
        new("lquery", "Top.*{1,2}.x"),
        new("ltxtquery", "Europe & !Russia"),
        new("cube", "(1, 2),(3, 4)"),
        new("isbn", "978-0-393-04002-9"),
        new("hstore", "\"k1\"=>\"v\", \"k2\"=>NULL, \"q\\\"\\\\\"=>\"x y\"", "") { Large = "hstore('k', t)" },
        new("mood", "très bad", "a,b", "q\"\\"),
        new("other.mood", "other"),
        new("pair", "(1,\"a \"\"b\"\"\")", "(,)") { Large = "row(1, t)::pair" },
        new("short_text", "domain", ""),
        new("shorter", "abc"),
        new("amount", "99.90", "NaN"),
        new("whens", "2024-02-29 12:34:56.789012+02", "1500-01-01 00:00:00+00"),
        new("zoned", "12:34:56.789012+05:30"),
        new("int4range", "[1,5)", "empty", "(,)"),
        new("int8range", "[1,9223372036854775807)"),
        new("numrange", "[1.50,2.5]", "(,1e40)") { Large = "numrange(0, repeat('1234567890', 600)::numeric)" },
        new("tsrange", "[2024-01-01 00:00:00,infinity)", "[1500-01-01 00:00:00,)"),
        new("tstzrange", "[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)", "empty"),
        new("daterange", "[2024-01-01,2024-02-01)", "[0044-03-15 BC,)"),
        new("span", "[1.5,2.5)"),
        new("int4multirange", "{[1,3),[5,7)}", "{}") { Large = "(select range_agg(int4range(3 * i, 3 * i + 1)) from generate_series(1, 400) i)" },
        new("tstzmultirange", "{[\"2024-01-01 00:00:00+00\",\"2024-01-02 00:00:00+00\")}"),
    ];

    /// <summary>Arrays: one dimension, NULL elements, none, several dimensions, other lower bounds.</summary>
    public static IReadOnlyList<ZooColumn> Arrays { get; } =
    [
        new("smallint[]", "{1,NULL,-3}", "{}", "{NULL}", "{{1,2},{3,4}}", "[5:6]={1,2}") { Large = Many(1500, "i::smallint") },
        new("integer[]", "{1,NULL,-3}", "{}", "{NULL}", "{{1,2},{3,4}}", "[5:6]={1,2}", "{{{1}}}", "[0:1][2:3]={{1,2},{3,4}}") { Large = Many(900, "i") },
        new("bigint[]", "{9007199254740993,NULL}", "{{1,2}}", "[0:0]={1}") { Large = Many(600, "i::bigint") },
        new("oid[]", "{4294967295,NULL}", "{{1,2}}") { Large = Many(900, "i::oid") },
        new("numeric[]", "{1.10,NULL,-0.5}", "{NaN,1}", "{Infinity}", "{{1.5,2}}", "[2:3]={1,2}") { Large = Many(600, "i::numeric") },
        new("numeric(12,2)[]", "{1.10,NULL}", "{NaN}"),
        new("real[]", "{1.5,NULL,NaN}", "{{1,2}}") { Large = Many(900, "i::real") },
        new("double precision[]", "{0.1,NULL,Infinity,-0}", "{{1,2}}") { Large = Many(600, "i::float8") },
        new("boolean[]", "{t,f,NULL}", "{{t,f},{f,t}}", "[3:3]={t}") { Large = Many(4000, "i % 2 = 0") },
        new("text[]", "{a,\"b c\",NULL,\"NULL\",\"\",\"q\\\"\\\\\",\"{x}\",\"c,d\"}", "{}", "{{a,b},{c,d}}", "{{a}}", "[5:6]={a,b}", "{\"[Ljava.lang.String;@7579cc4\"}") { Large = "array[t]" },
        new("character varying(4000)[]", "{a,\"b c\"}", "{{a,b}}") { Large = "array[t]::varchar[]" },
        new("character(3)[]", "{a,bc,NULL}", "{{a}}") { Large = Many(900, "i::char(3)") },
        new("\"char\"[]", "{a,b,NULL}"),
        new("name[]", "{n,NULL}"),
        new("citext[]", "{Ab,NULL}", "{{a,B}}") { Large = "array[t]::citext[]" },
        new("bytea[]", "{\"\\\\x00ff\",NULL}", "{{\"\\\\x00\"}}") { Large = "array[decode(t || t, 'hex')]" },
        new("uuid[]", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}", "{{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}}") { Large = Many(200, "md5(i::text)::uuid") },
        new("json[]", "{\"{\\\"b\\\":1, \\\"a\\\" : 2}\",NULL}", "{{1,2}}") { Large = "array[to_json(t)]" },
        new("jsonb[]", "{\"{\\\"a\\\": [1, 2]}\",NULL}", "{{1,2}}") { Large = "array[to_jsonb(t)]" },
        new("xml[]", "{<a/>}"),
        new("inet[]", "{10.0.0.1,10.0.0.0/8,NULL}", "{{::1}}") { Large = Many(400, "('10.0.0.' || i % 250)::inet") },
        new("cidr[]", "{10.0.0.0/8,NULL}"),
        new("macaddr[]", "{08:00:2b:01:02:03,NULL}"),
        new("macaddr8[]", "{08:00:2b:01:02:03:04:05}"),
        new("hstore[]", "{\"\\\"a\\\"=>\\\"1\\\"\",NULL}") { Large = "array[hstore('k', t)]" },
        new("int4range[]", "{\"[1,3)\",NULL}", "{{\"[1,3)\"}}") { Large = Many(300, "int4range(i, i + 1)") },
        new("numrange[]", "{\"[1.5,3.0)\",NULL}"),
        new("tstzrange[]", "{\"[\\\"2024-01-01 00:00:00+00\\\",)\"}"),
        new("int4multirange[]", "{\"{[1,3)}\"}"),
        new("mood[]", "{ok,\"a,b\"}", "{ok,NULL}", "{{ok}}", "{\"q\\\"\\\\\"}") { Large = Many(900, "'ok'::mood") },
        new("date[]", "{2024-02-29,NULL}", "{infinity}", "{\"0044-03-15 BC\"}", "{1582-10-10}") { Large = Many(900, "date '2024-01-01' + i") },
        new("timestamp[]", "{\"2024-02-29 12:34:56.789\",NULL}", "{\"1582-10-14 00:00:00\"}", "{infinity}", "{\"0044-03-15 12:00:00 BC\"}", "{\"294276-12-31 23:59:59\"}") { Large = Many(600, "timestamp '2024-01-01' + i * interval '1 hour'") },
        new("timestamp(0)[]", "{\"2024-02-29 12:34:56\",NULL}"),
        new("timestamptz[]", "{\"2024-02-29 12:34:56.789+00\",NULL}", "{\"2000-01-01 00:00:00+00 BC\"}") { Large = Many(600, "timestamptz '2024-01-01 00:00:00+00' + i * interval '1 hour'") },
        new("time[]", "{12:34:56.789012,24:00:00}") { Large = Many(600, "time '00:00' + i * interval '1 second'") },
        new("timetz[]", "{12:34:56.789012+05:30,24:00:00+00}"),
        new("interval[]", "{\"1 day\"}"),
        new("money[]", "{1.10}"),
        new("bit(3)[]", "{101,000}"),
        new("bit varying[]", "{101,0}"),
        new("point[]", "{\"(1,2)\"}"),
        new("box[]", "{(1,1),(0,0);(2,2),(1,1)}"),
        new("tsvector[]", "{'a':1}"),
        new("tsquery[]", "{\"'a' & 'b'\"}"),
        new("ltree[]", "{Top.Science,a}"),
        new("pair[]", "{\"(1,a)\",NULL}"),
        new("short_text[]", "{abc,NULL}"),
        new("amount[]", "{1.50}"),
        new("span[]", "{\"[1.5,2.5)\"}"),
        new("pg_lsn[]", "{16/B374D848}"),
        new("words", "{a,NULL,\"b c\"}", "{{a,b}}", "[2:2]={a}"),
        new("int2vector", "1 2 3"),
        new("oidvector", "1 2 3"),
    ];

    /// <summary>Columns of both lists that can be stored out of line.</summary>
    public static IReadOnlyList<ZooColumn> Large { get; } = [.. Plain.Concat(Arrays).Where(column => column.Large is not null)];

    /// <summary>All tables.</summary>
    public static IReadOnlyList<TableName> Tables { get; } =
        [new("public", "plain"), new("public", "arrays"), new("public", "large"), new("public", "large_full"), new("public", "defaults")];

    /// <summary>Rows of a table that shows every value at least once.</summary>
    public static int Rows { get; } = Plain.Concat(Arrays).Max(column => column.Values.Length);

    /// <summary>Types and tables.</summary>
    public static string Schema { get; } = Types
        + Table("plain", Plain) + Table("arrays", Arrays) + Table("large", Large) + Table("large_full", Large)
        + "alter table large_full replica identity full;"
        + string.Concat(Large.Select(column => $"alter table large alter {column.Name} set storage external; alter table large_full alter {column.Name} set storage external;"))
        + """
        create table defaults (id int primary key, note text, t text default 'd', n int default 5, num numeric default 1.50, ts timestamp default now(), tz timestamptz default '2024-01-01 00:00:00+00',
            d date default '2024-01-01', b boolean default true, j jsonb default '{"a": 1}', a int[] default '{1,2}', y bytea default '\x01', m mood default 'ok', must int not null default 7,
            i interval default '1 day', u uuid default '00000000-0000-0000-0000-000000000001', f float8 default 1.5, v varchar(10) default upper('x'), b1 bit(1) default b'1', b8 bit(8) default b'00000001');
        """;

    /// <summary>Rows that are there before the connector starts.</summary>
    public static string Seed { get; } =
        Fill("plain", Plain) + Fill("arrays", Arrays)
        + string.Concat(new[] { "large", "large_full" }.Select(table =>
            $"insert into {table} select i, 'seed', {string.Join(", ", Large.Select(column => column.Large))} from (select i, t from generate_series(1, 3) i, (select {T} as t) x) y;"))
        + """
        insert into defaults (id) values (1); insert into defaults values (2, null, null, null, null, null, null, null, null, null, null, null, null, 1, null, null, null, null, null, null);
        insert into defaults values (3, '', 'x', 6, 1.5, '2024-01-02', '2024-01-02 00:00:00+00', '2024-01-02', false, '{}', '{}', '\x02', 'a,b', 1, '2 days', '00000000-0000-0000-0000-000000000002', 2.5, 'Y', b'0', b'00000011');

        """;

    /// <summary>What happens while the connector streams: inserts, updates that leave large values alone, updates of one column each, changed keys.</summary>
    public static IReadOnlyList<string> Changes { get; } =
    [
        .. Tables.Select(table => table.Name).SelectMany(table => new[]
        {
            Copy(table, 1000),
            $"update {table} set note = 'streamed' where id > 1000",
            $"update {table} set note = 'a snapshot''s row' where id = 1",
            $"update {table} set id = id + 5000, note = 'moved' where id % 1000 in (1, 2)",
            $"update {table} set note = 'moved and updated' where id = 6001",
            $"delete from {table} where id = 1003",
        }),
        "update defaults set t = null, n = null, num = null, ts = null, tz = null, d = null, b = null, j = null, a = null, y = null, m = null, i = null, u = null, f = null, v = null, b1 = null, b8 = null where id = 3",
        .. Nulled("plain", Plain), .. Nulled("arrays", Arrays),
        .. Large.Select(column => $"update large set {column.Name} = {(column.Name.EndsWith("_array", StringComparison.Ordinal) ? "'{}'" : "null")} where id = 3"),
    ];

    private static string Copy(string table, int shift) => table == "defaults"
        ? $"insert into defaults select id + {shift}, note, t, n, num, ts, tz, d, b, j, a, y, m, must, i, u, f, v, b1, b8 from defaults"
        : $"insert into {table} select id + {shift}, note, {string.Join(", ", ColumnsOf(table).Select(column => column.Name))} from {table}";

    private static IReadOnlyList<ZooColumn> ColumnsOf(string table) => table switch { "plain" => Plain, "arrays" => Arrays, _ => Large };

    /// <summary>Every column from a value to NULL and from NULL to a value, one at a time.</summary>
    private static IEnumerable<string> Nulled(string table, IReadOnlyList<ZooColumn> columns) =>
    [
        .. columns.Select(column => $"update {table} set {column.Name} = null where id = 1004"),
        .. columns.Select(column => $"update {table} set {column.Name} = {column.Literal(0)} where id = 0"),
    ];

    private static string Table(string name, IReadOnlyList<ZooColumn> columns) =>
        $"create table {name} (id int primary key, note text, {string.Join(", ", columns.Select(column => $"{column.Name} {column.Type}"))});";

    private static string Fill(string name, IReadOnlyList<ZooColumn> columns) => string.Concat(Enumerable.Range(1, Rows).Select(row => string.Create(
        CultureInfo.InvariantCulture, $"insert into {name} values ({row}, 'seed', {string.Join(", ", columns.Select(column => column.Literal(row)))});")))
        + $"insert into {name} (id) values (0);";
}
