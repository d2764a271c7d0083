namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>Every type of MariaDB that can be carried, with the values in which something goes wrong easily, mapped as docs/types-mariadb.md says.</summary>
internal static class Zoo
{
    private const string Utc = "to_char({0} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')";
    private const string Micros = "to_char({0}, 'YYYY-MM-DD HH24:MI:SS.US')";
    private const string Hex = "lower(hex({0}))";
    private const string OfBytes = "encode({0}, 'hex')";

    /// <summary>Seconds with six digits: an interval drops zeros at the end.</summary>
    private const string Seconds = "extract(epoch from {0})::numeric(20,6)::text";

    public static readonly ZooColumn[] Columns =
    [
        new("tiny", "tinyint", "smallint", "-128", "127", "0", "null"),
        new("tiny_unsigned", "tinyint unsigned", "smallint", "0", "255", "null"),
        new("flag", "tinyint(1)", "boolean", "0", "1", "null") { TargetText = "{0}::int::text" },
        new("flag_number", "tinyint(1)", "smallint", "5", "-1", "null"),
        new("small", "smallint", "smallint", "-32768", "32767", "null"),
        new("small_unsigned", "smallint unsigned", "integer", "65535", "0", "null"),
        new("medium", "mediumint", "integer", "-8388608", "8388607", "null"),
        new("medium_unsigned", "mediumint unsigned", "integer", "16777215", "null"),
        new("int_signed", "int", "integer", "-2147483648", "2147483647", "null"),
        new("int_unsigned", "int unsigned", "bigint", "4294967295", "0", "null"),
        new("int_zerofill", "int(6) zerofill", "bigint", "42", "null") { SourceText = "cast({0} + 0 as char)" },
        new("big", "bigint", "bigint", "-9223372036854775808", "9223372036854775807", "9007199254740993", "null"),
        new("big_unsigned", "bigint unsigned", "numeric(20, 0)", "18446744073709551615", "9223372036854775808", "0", "1", "null"),
        new("big_unsigned_small", "bigint unsigned", "bigint", "9223372036854775807", "0", "127", "128", "null"),
        new("dec", "decimal(65,30)", "numeric(65, 30)", "99999999999999999999999999999999999.999999999999999999999999999999", "-0.000000000000000000000000000001", "0", "1.1", "null"),
        new("dec_unsigned", "decimal(10,2) unsigned", "numeric(10, 2)", "99999999.99", "0", "null"),
        new("flt", "float", "real", "3.402823466e38", "-1.17549435e-38", "16777216", "0.1", "1.23456789", "0", "null") { SourceText = "cast(cast({0} as double) as char)", TargetText = "replace({0}::float8::text, 'e+', 'e')" },
        new("dbl", "double", "double precision", "1.7976931348623157e308", "-2.2250738585072014e-308", "0.1", "123456789.123456789", "0", "null") { TargetText = "replace({0}::text, 'e+', 'e')" },
        new("bit_flag", "bit(1)", "boolean", "b'1'", "b'0'", "null") { SourceText = "bin({0} + 0)", TargetText = "{0}::int::text" },
        new("bit_one", "bit(1)", "bit(1)", "b'1'", "b'0'", "null") { SourceText = "bin({0} + 0)" },
        new("bit_some", "bit(12)", "bit(12)", "b'101000000001'", "b'0'", "null") { SourceText = "lpad(bin({0} + 0), 12, '0')" },
        new("bit_all", "bit(64)", "bit(64)", "b'1000000000000000000000000000000000000000000000000000000000000001'", "b'0'", "null") { SourceText = "lpad(bin({0} + 0), 64, '0')" },
        new("chr", "char(10)", "text", "'ab  '", "''", "'é🛒'", "null") { SourceText = "{0}" },
        new("vchr", "varchar(200)", "varchar(200)", "' a\\t\\n\\\\ \"x\" '", "'e\u0301 \U0001F600 \u2028'", "''", "'null'", "null") { SourceText = "{0}" },
        new("latin", "text character set latin1", "text", "'ÄÖ£ÿ'", "''", "null") { SourceText = "convert({0} using utf8mb4)" },
        new("long_text", "longtext", "text", "repeat('0123456789', 20000)", "''", "null") { SourceText = "{0}" },
        new("bin", "binary(4)", "bytea", "x'00ff'", "x'01020304'", "null") { SourceText = Hex, TargetText = OfBytes },
        new("vbin", "varbinary(20)", "bytea", "x'00'", "''", "x'deadbeef00'", "null") { SourceText = Hex, TargetText = OfBytes },
        new("blb", "blob", "bytea", "x'000102'", "repeat(x'ff', 1000)", "null") { SourceText = Hex, TargetText = OfBytes },
        new("long_blob", "longblob", "bytea", "repeat(x'80', 100000)", "''", "null") { SourceText = Hex, TargetText = OfBytes },
        new("bin_uuid", "binary(16)", "uuid", "x'00112233445566778899aabbccddeeff'", "x'ffffffffffffffffffffffffffffffff'", "null") { SourceText = Hex, TargetText = "replace({0}::text, '-', '')" },
        new("uid", "uuid", "uuid", "'123e4567-e89b-12d3-a456-426614174000'", "'00000000-0000-0000-0000-000000000000'", "null"),
        new("chr_uuid", "char(36)", "uuid", "'123e4567-e89b-12d3-a456-426614174000'", "null"),
        new("enm", "enum('a','très bad','it''s')", "text", "'a'", "'très bad'", "'it''s'", "null"),
        new("enm_typed", "enum('a','b')", "zoo_enum", "'a'", "'b'", "null"),
        new("st", "set('x','y','z w')", "text", "'x,z w'", "''", "'x,y,z w'", "null"),
        new("st_array", "set('x','y\"q','z w')", "text[]", "'x,z w'", "''", "'y\"q'", "null") { TargetText = "array_to_string({0}, ',')" },
        new("yr", "year", "smallint", "1901", "2155", "2024", "null"),
        new("tm", "time(6)", "interval", "'-838:59:59.999999'", "'838:59:59.999999'", "'00:00:00'", "'-00:00:00.000001'", "'24:00:00'", "null") { SourceText = "cast(time_to_sec({0}) as char)", TargetText = Seconds },
        new("tm_day", "time", "time", "'23:59:59'", "'00:00:00'", "null"),
        new("dt", "date", "date", "'0001-01-01'", "'9999-12-31'", "'1582-10-10'", "'1970-01-01'", "'1000-02-28'", "null"),
        new("dtm", "datetime(6)", "timestamp", "'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'1582-10-10 01:02:03'", "'1970-01-01 00:00:00'", "'2024-02-29 12:34:56.7'", "null") { TargetText = Micros },
        new("dtm_seconds", "datetime", "timestamp(0)", "'2024-12-31 23:59:59'", "'1500-01-01 00:00:00'", "null"),
        new("ts", "timestamp(6) null", "timestamptz", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07.999999'", "'2024-10-27 02:30:00.5'", "null") { TargetText = Utc },
        new("ts_plain", "timestamp null", "timestamp", "'2024-03-31 02:30:00'", "null"),
        new("dtm_zoned", "datetime(3)", "timestamptz", "'2024-03-31 02:30:00.123'", "null") { TargetText = "to_char({0} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')" },
        new("js", "json", "json", "'{\"b\":1, \"a\": [1e400, \"é\", null], \"b\":2}'", "'null'", "'12345678901234567890123'", "null"),
        new("js_binary", "json", "jsonb", "'{\"a\": 1, \"b\": [true, null]}'", "null"),
        new("pt", "point", "point", "point(1.5, -2.25)", "point(0, 1e10)", "null") { SourceText = "concat('(', st_x({0}), ',', st_y({0}), ')')", TargetText = "{0}::text" },
        new("shape", "geometry", "bytea", "st_geomfromtext('LINESTRING(0 0, 1 1, 2 5)', 4326)", "point(1, 2)", "null") { SourceText = "lower(hex(st_aswkb({0})))", TargetText = OfBytes },
        new("zero_date", "date", "date", "'0000-00-00'", "'2024-00-10'", "'2024-01-10'", "null") { SourceText = "if(day({0}) = 0 or month({0}) = 0, null, cast({0} as char))" },
        new("zero_stamp", "timestamp null", "timestamptz", "'0000-00-00 00:00:00'", "'2024-01-10 00:00:00'", "null") { SourceText = "if({0} = 0, null, cast({0} as char))", TargetText = "to_char({0} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')" },
        new("zero_mapped", "date", "date", "'0000-00-00'", "'2024-00-10'", "'2024-05-00'", "'2024-01-10'", "null")
        {
            Mapping = "{ zeroDate: epoch, partialDate: first }",
            SourceText = "if(year({0}) = 0, '1970-01-01', replace(cast({0} as char), '-00', '-01'))",
        },
        new("zero_default", "date not null default '2000-01-01'", "date", "'0000-00-00'", "'2000-01-01'", "'2024-01-10'") { SourceText = "if(day({0}) = 0, null, cast({0} as char))" },
        new("zero_required", "datetime not null default '2000-01-01 00:00:00'", "timestamp not null", "'0000-00-00'", "'2000-01-01'", "'2024-01-10'")
        {
            Mapping = "{ as: timestamp, zeroDate: 1900-01-01 }",
            SourceText = "if(day({0}) = 0, '1900-01-01 00:00:00', cast({0} as char))",
        },
        new("zero_now", "timestamp not null default current_timestamp", "timestamptz not null", "'0000-00-00'", "'2024-01-10 01:02:03'")
        {
            Mapping = "{ zeroDate: -infinity }",
            SourceText = "if({0} = 0, '-infinity', cast({0} as char))",
            TargetText = "coalesce(to_char(nullif({0}, '-infinity') at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), '-infinity')",
        },
        new("flag_any", "tinyint(1)", "boolean", "5", "0", "-1", "1", "null") { Mapping = "{ as: boolean, nonBoolean: true }", SourceText = "cast({0} <> 0 as char)", TargetText = "{0}::int::text" },
        new("nul_text", "varchar(20)", "text", "concat('a', char(0 using utf8mb4), 'b')", "'plain'", "null") { Mapping = "{ nulCharacter: strip }", SourceText = "replace({0}, char(0 using utf8mb4), '')" },
        new("nul_json", "json", "jsonb", "'[\"a\\\\u0000b\"]'", "null") { Mapping = "{ nulCharacter: strip }", SourceText = "replace({0}, '\\\\u0000', '')" },
        new("enm_comma", "enum('a','b,c')", "text", "'b,c'", "'a'", "null"),
        new("enm_mapped", "enum('a','b,c')", "zoo_enum", "'b,c'", "'a'", "null") { Mapping = "{ as: zoo_enum, labels: { 'b,c': b } }", SourceText = "replace({0}, 'b,c', 'b')" },
        new("st_mapped", "set('x','y')", "text[]", "'x,y'", "''", "null") { Mapping = "{ labels: { x: Z } }", SourceText = "replace({0}, 'x', 'Z')", TargetText = "array_to_string({0}, ',')" },
        new("bin_swapped", "binary(16)", "uuid", "x'00112233445566778899aabbccddeeff'", "null")
        {
            Mapping = "{ uuidFormat: timeSwapBinary16 }",
            SourceText = "lower(hex(concat(substr({0}, 5, 4), substr({0}, 3, 2), substr({0}, 1, 2), substr({0}, 9))))",
            TargetText = "replace({0}::text, '-', '')",
        },

        // Read from the source by key: events do not tell enough.
        new("flt_double", "float", "double precision", "0.1", "16777216", "null") { SourceText = "cast(cast({0} as decimal(20,1)) as char)", TargetText = "trim(to_char({0}, '99999999999990.0'))" },
        new("bit_number", "bit(12)", "integer", "b'101000000001'", "b'0'", "null") { SourceText = "cast({0} + 0 as char)" },
        new("uid_text", "uuid", "text", "'123e4567-e89b-12d3-a456-426614174000'", "null"),
        new("with_default", "varchar(20) null default 'dflt'", "text default 'dflt'", "null", "'dflt'", "''") { SourceText = "{0}" },
        new("int_default", "int null default 7", "integer default 7", "null", "7", "0"),
        new("computed", "int as (tiny * 2) stored", "integer"),
    ];

    /// <summary>Rows that hold every value of every column.</summary>
    public static int Rows { get; } = Columns.Max(column => column.Values.Length);

    /// <summary>What the migration file says of them.</summary>
    public static string Mappings => $"{{ {string.Join(", ", Columns.Where(column => column.Mapping.Length > 0).Select(column => $"{column.Name}: {column.Mapping}"))} }}";

    public static string SourceTable => $"""
        create table zoo (k1 int not null, k2 varchar(40) not null, touched int not null default 0, {string.Join(", ", Columns.Select(column => $"`{column.Name}` {column.Source}"))},
            primary key (k1, k2)) character set utf8mb4;
        """;

    public static string TargetTable => $"""
        create type zoo_enum as enum ('a', 'b');
        create table zoo (k1 int not null, k2 text not null, touched int not null, {string.Join(", ", Columns.Select(column => $"\"{column.Name}\" {column.Target}"))}, primary key (k1, k2));
        """;

    public static string SourceQuery => $"select cast(k1 as char), k2, cast(touched as char), {string.Join(", ", Columns.Select(column => column.SourceSql))} from zoo order by k1, k2";

    public static string TargetQuery => $"select k1::text, k2, touched::text, {string.Join(", ", Columns.Select(column => column.TargetSql))} from zoo order by zoo.k1, zoo.k2 collate \"C\"";

    /// <summary>Statements that insert every row under one part of the key; zero dates need a lax mode.</summary>
    public static string Insert(int k1) => "set session sql_mode = ''; set session time_zone = '+00:00'; " + string.Join(' ', Enumerable.Range(0, Rows).Select(row =>
    {
        var filled = Columns.Where(column => column.Values.Length > 0).ToList();
        return $"insert into zoo (k1, k2, {string.Join(", ", filled.Select(column => $"`{column.Name}`"))}) values ({k1}, 'Row {row} é', {string.Join(", ", filled.Select(column => column.Value(row)))});";
    }));
}
