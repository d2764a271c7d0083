using System.Globalization;
using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.SelfTest;

/// <summary>What a self-test makes wrong. Rows are those of <see cref="ScratchSql"/>.</summary>
public static class Seeds
{
    private const int Many = 1000;
    private const int FirstOfMany = 1001;
    private static readonly string[] Exchanged = ["units", "name", "note", "amount", "ratio", "at", "token", "doc"];

    /// <summary>All of them, kind by kind.</summary>
    public static IReadOnlyList<Seed> All { get; } =
    [
        Row(SeedKind.Byte, 201, "note", "overlay(note placing 'N' from 1 for 1)"),
        Row(SeedKind.Byte, 202, "raw", "pg_catalog.set_byte(raw, 3, pg_catalog.get_byte(raw, 3) # 1)"),
        Row(SeedKind.Byte, ScratchSql.LongText, "note", "overlay(note placing 'X' from pg_catalog.length(note) for 1)"),
        Row(SeedKind.Byte, ScratchSql.Umlaut, "note", "U&'\\00fd'"),
        .. Exchanged.Select((column, i) => Swap(301 + (2 * i), column)),
        Row(SeedKind.NullOrEmpty, ScratchSql.NullName, "name", "''"),
        Row(SeedKind.NullOrEmpty, ScratchSql.EmptyName, "name", "null"),
        Row(SeedKind.NullOrEmpty, ScratchSql.NullNote, "note", "''"),
        Row(SeedKind.NullOrEmpty, ScratchSql.EmptyNote, "note", "null"),
        new(SeedKind.NullOrEmpty, [new(ScratchSql.EmptyNameNullNote, DifferenceKind.Different, "name", "note")], $"update {{t}} set name = null, note = '' where n = {ScratchSql.EmptyNameNullNote}"),
        Row(SeedKind.NullOrZero, ScratchSql.NullRatio, "ratio", "0.0"),
        Row(SeedKind.NullOrZero, ScratchSql.ZeroRatio, "ratio", "null"),
        Row(SeedKind.NullOrZero, ScratchSql.NullAmount, "amount", "0.0"),
        Row(SeedKind.NullOrZero, ScratchSql.ZeroAmount, "amount", "null"),
        Row(SeedKind.NullOrZero, ScratchSql.NullUnits, "units", "0"),
        Row(SeedKind.NullOrZero, ScratchSql.NullSmall, "small", "0.0"),
        Deleted(421),
        Deleted(422, 423),
        Deleted(long.MinValue),
        Deleted(long.MaxValue),
        Inserted(0),
        Inserted(1_000_001),
        Inserted(-5, 1_000_002, 1_000_003),
        Same("flag", "'N'"),
        Same("units", "units + 1"),
        Row(SeedKind.TrailingBlank, 431, "note", "note || ' '"),
        Row(SeedKind.TrailingBlank, 432, "name", "name || ' '"),
        Row(SeedKind.TrailingBlank, ScratchSql.EmptyNote, "note", "' '"),
        Row(SeedKind.Microsecond, 441, "at", "at + interval '1 microsecond'"),
        Row(SeedKind.Microsecond, 442, "seen", "seen - interval '1 microsecond'"),
        Row(SeedKind.Microsecond, ScratchSql.OldTime, "at", "at + interval '1 microsecond'"),
        Row(SeedKind.NegativeZero, ScratchSql.ZeroRatio, "ratio", "'-0'"),
        Row(SeedKind.NegativeZero, ScratchSql.ZeroSmall, "small", "'-0'"),
        Row(SeedKind.NegativeZero, ScratchSql.NegativeZeroRatio, "ratio", "'0'"),
        Row(SeedKind.JsonNumber, ScratchSql.JsonOne, "doc", "'1.0'"),
        Row(SeedKind.JsonNumber, ScratchSql.JsonNested, "doc", "'{\"a\": [1.0, {\"b\": 1}]}'"),
    ];

    /// <summary>A kind for people.</summary>
    public static string Describe(SeedKind kind) => kind switch
    {
        SeedKind.Byte => "one byte of a text or of bytes is another",
        SeedKind.Swap => "two rows have each other's value of a column",
        SeedKind.NullOrEmpty => "NULL and the empty text exchanged",
        SeedKind.NullOrZero => "NULL and 0.0 exchanged",
        SeedKind.Deleted => "a row is missing",
        SeedKind.Inserted => "a row is there that the source has not",
        SeedKind.SameDelta => "the same change of a thousand rows",
        SeedKind.TrailingBlank => "a blank more at the end of a text",
        SeedKind.Microsecond => "a time is one microsecond off",
        SeedKind.NegativeZero => "-0.0 and 0.0 exchanged",
        _ => "1 and 1.0 exchanged in jsonb",
    };

    private static Seed Row(SeedKind kind, long number, string column, string value) =>
        new(kind, [new(number, DifferenceKind.Different, column)], string.Create(CultureInfo.InvariantCulture, $"update {{t}} set {column} = {value} where n = {number}"));

    /// <summary>Each pair by itself: of several in one chunk the sum of a weak hash would betray some.</summary>
    private static Seed Swap(long number, string column) => new(
        SeedKind.Swap,
        [new(number, DifferenceKind.Different, column), new(number + 1, DifferenceKind.Different, column)],
        string.Create(CultureInfo.InvariantCulture, $"update {{t}} r set {column} = o.{column} from {{t}} o where r.n in ({number}, {number + 1}) and o.n = {(2 * number) + 1} - r.n"));

    private static Seed Deleted(params long[] numbers) =>
        new(SeedKind.Deleted, [.. numbers.Select(number => new SeededRow(number, DifferenceKind.Missing))], $"delete from {{t}} where n = any({ScratchSql.ListOf(numbers)})");

    private static Seed Inserted(params long[] numbers) => new(
        SeedKind.Inserted, [.. numbers.Select(number => new SeededRow(number, DifferenceKind.Extra))],
        $"insert into {{t}} (n, {ScratchSql.Others}) select i, {ScratchSql.Others} from {{t}}, pg_catalog.unnest({ScratchSql.ListOf(numbers)}) as i where n = 7");

    private static Seed Same(string column, string value) => new(
        SeedKind.SameDelta, [.. Enumerable.Range(FirstOfMany, Many).Select(number => new SeededRow(number, DifferenceKind.Different, column))],
        string.Create(CultureInfo.InvariantCulture, $"update {{t}} set {column} = {value} where n between {FirstOfMany} and {FirstOfMany + Many - 1}"));
}
