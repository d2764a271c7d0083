using System.Globalization;

namespace CdcMigrator.Postgres.SelfTest;

/// <summary>The rows of a scratch table: plain ones by number, ones a seed needs as they are, and values at the ends of what their types hold.</summary>
internal static class ScratchSql
{
    public const int PlainRows = 2500;
    public const long LongText = 203;
    public const long Umlaut = 204;
    public const long NullName = 401;
    public const long EmptyName = 402;
    public const long NullNote = 403;
    public const long EmptyNote = 404;
    public const long EmptyNameNullNote = 405;
    public const long NullRatio = 411;
    public const long ZeroRatio = 412;
    public const long NullAmount = 413;
    public const long ZeroAmount = 414;
    public const long NullUnits = 415;
    public const long NullSmall = 416;
    public const long OldTime = 443;
    public const long ZeroSmall = 452;
    public const long NegativeZeroRatio = 453;
    public const long JsonOne = 461;
    public const long JsonNested = 462;

    /// <summary>Columns but the number.</summary>
    public const string Others = "place, flag, units, name, note, amount, price, ratio, small, ok, at, seen, day, token, raw, doc";

    /// <summary>Columns of a table, without its key.</summary>
    public const string Columns = """
        n bigint not null, place inet not null, flag character(1) not null, units integer, name character varying(200), note text, amount numeric, price numeric(12,2) not null,
        ratio double precision, small real, ok boolean, at timestamp, seen timestamptz, day date, token uuid, raw bytea, doc jsonb
        """;

    /// <summary>Fills a table of these columns, the same on every server.</summary>
    public static string Fill(string table) => string.Create(CultureInfo.InvariantCulture, $$"""
        insert into {{table}} (n, {{Others}})
            select i, inet '10.0.0.0' + i, 'Y', i % 100, 'name ' || i, 'note ' || i || '|' || i % 7, i * 1.250, i / 4.0, i / 4.0, i / 4.0, i % 2 = 0,
                timestamp '2024-01-01' + i * interval '1.000001 second', timestamptz '2024-01-01 00:00:00+00' + i * interval '1 hour', date '2024-01-01' + i::int,
                ('00000000-0000-4000-8000-' || pg_catalog.lpad(i::text, 12, '0'))::uuid, pg_catalog.decode(pg_catalog.lpad(i::text, 8, '0'), 'hex'), pg_catalog.jsonb_build_object('n', i, 'l', pg_catalog.jsonb_build_array(i, null))
            from pg_catalog.generate_series(1::bigint, {{PlainRows}}) as i;
        insert into {{table}} (n, {{Others}}) select i, {{Others}} from {{table}}, pg_catalog.unnest({{ListOf([long.MinValue, long.MaxValue])}}) as i where n = 1;
        update {{table}} set note = pg_catalog.repeat('a long text, ', 20000) where n = {{LongText}};
        update {{table}} set note = U&'\00fc' where n = {{Umlaut}};
        update {{table}} set name = null where n = {{NullName}};
        update {{table}} set name = '' where n = {{EmptyName}};
        update {{table}} set note = null where n = {{NullNote}};
        update {{table}} set note = '' where n = {{EmptyNote}};
        update {{table}} set name = '', note = null where n = {{EmptyNameNullNote}};
        update {{table}} set ratio = null where n = {{NullRatio}};
        update {{table}} set ratio = 0 where n = {{ZeroRatio}};
        update {{table}} set amount = null where n = {{NullAmount}};
        update {{table}} set amount = 0.0 where n = {{ZeroAmount}};
        update {{table}} set units = null where n = {{NullUnits}};
        update {{table}} set small = null where n = {{NullSmall}};
        update {{table}} set at = '1901-02-03 04:05:06.789' where n = {{OldTime}};
        update {{table}} set small = 0 where n = {{ZeroSmall}};
        update {{table}} set ratio = '-0' where n = {{NegativeZeroRatio}};
        update {{table}} set doc = '1' where n = {{JsonOne}};
        update {{table}} set doc = '{"a": [1, {"b": 1}]}' where n = {{JsonNested}};
        update {{table}} set units = null, name = null, note = null, amount = null, ratio = null, small = null, ok = null, at = null, seen = null, day = null, token = null, raw = null, doc = null where n = 2401;
        update {{table}} set name = '', note = '', raw = '', doc = '{}' where n = 2402;
        update {{table}} set name = '|', note = '||1|0|', doc = '"|"' where n = 2403;
        update {{table}} set amount = '123456789012345678901234567890.000000000000000000000000000001', ratio = '1.7976931348623157e308', small = '3.4028235e38', units = 2147483647 where n = 2404;
        update {{table}} set amount = 'NaN', ratio = 'NaN', small = 'NaN' where n = 2405;
        update {{table}} set ratio = 'Infinity', small = '-Infinity', price = '-9999999999.99' where n = 2406;
        update {{table}} set ratio = '5e-324', small = '1e-45', units = -2147483648, amount = '-0.000000000000000000001' where n = 2407;
        update {{table}} set ratio = '-0', small = '-0', amount = '0.00' where n = 2408;
        update {{table}} set at = 'infinity', seen = '-infinity', day = 'infinity' where n = 2409;
        update {{table}} set at = '294276-12-31 23:59:59.999999', seen = '294276-12-31 23:59:59.999999+00', day = '5874897-12-31' where n = 2410;
        update {{table}} set at = '4713-11-24 00:00:00 BC', seen = '0001-01-01 00:00:00+00 BC', day = '4713-11-24 BC' where n = 2411;
        update {{table}} set name = 'blanks   ', note = U&'\FEFF\+01F600e\0301\00e9\200b' where n = 2412;
        update {{table}} set note = E'\t\n\r\\ \\N \\.' where n = 2413;
        update {{table}} set raw = '\x00ff0a5c00' where n = 2414;
        update {{table}} set doc = '{"a": {"\u00e9": [1e2, 1.50, "\u0001", -0.0]}, "z": null}' where n = 2415;
        update {{table}} set note = pg_catalog.repeat(U&'\2603', 100000) where n = 2416;
        """);

    /// <summary>Numbers as an array.</summary>
    public static string ListOf(IEnumerable<long> numbers) => $"'{{{string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)))}}}'::bigint[]";
}
