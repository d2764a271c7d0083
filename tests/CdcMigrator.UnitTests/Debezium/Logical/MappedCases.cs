using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;
using static CdcMigrator.UnitTests.Debezium.DecodedRow;

namespace CdcMigrator.UnitTests.Debezium.Logical;

/// <summary>Values of MariaDB under what the migration file says of their column, and under what the source's catalog says.</summary>
internal static class MappedCases
{
    private const string Uuid = "\"ABEiM0RVZneImaq7zN3u/w==\"";
    private static readonly TargetColumn Boolean = V(ColumnKind.Boolean, "boolean");
    private static readonly TargetColumn Text = V(ColumnKind.Text, "text");
    private static readonly TargetColumn Date = V(ColumnKind.Date, "date");
    private static readonly TargetColumn Stamp = V(ColumnKind.Timestamp, "timestamp");
    private static readonly OriginColumn Enum = new(Type: null) { IsEnum = true };
    private static readonly ColumnMapping Labels = new() { Labels = new Dictionary<string, string> { ["b,c"] = "b/c", ["x"] = "X" } };

    public static readonly LogicalCase[] All =
    [
        new(Boolean, T("int16"), "5", "t") { Mapping = new() { NonZeroIsTrue = true } },
        new(Boolean, T("int16"), "-1", "t") { Mapping = new() { NonZeroIsTrue = true } },
        new(Boolean, T("int16"), "0", "f") { Mapping = new() { NonZeroIsTrue = true } },
        new(Boolean, T("int16"), "null", Null) { Mapping = new() { NonZeroIsTrue = true } },

        new(Text, T("string"), "\"a\\u0000b\"", "ab") { Mapping = new() { NulCharacter = NulRule.Strip } },
        new(Text, T("string"), "\"a\\u0000b\"", "a\uFFFDb") { Mapping = new() { NulCharacter = NulRule.Replace } },
        new(Text, T("string"), "\"plain\"", "plain") { Mapping = new() { NulCharacter = NulRule.Strip } },

        // A backslash that escapes a backslash escapes nothing behind it.
        new(V(ColumnKind.Text, "jsonb"), T("string", "io.debezium.data.Json"), "\"[\\\"a\\\\u0000\\\\\\\\u0000\\\"]\"", "[\"a\\\\u0000\"]") { Mapping = new() { NulCharacter = NulRule.Strip } },

        new(V(ColumnKind.Text, "uuid"), T("bytes"), Uuid, "44556677-2233-0011-8899-aabbccddeeff".Replace("-", "", StringComparison.Ordinal)) { Mapping = new() { UuidFormat = UuidFormat.TimeSwapBinary16 } },
        new(V(ColumnKind.Text, "uuid"), T("bytes"), Uuid, "33221100-5544-7766-8899-aabbccddeeff".Replace("-", "", StringComparison.Ordinal)) { Mapping = new() { UuidFormat = UuidFormat.LittleEndianBinary16 } },

        // The stream's backslash in front of a comma, the snapshot's comma, names of the file's choice.
        new(Text, T("string", "io.debezium.data.Enum"), "\"b\\\\,c\"", Reselect) { Origin = Enum },
        new(Text, T("string", "io.debezium.data.Enum"), "\"b,c\"", "b,c") { Origin = Enum },
        new(Text, T("string", "io.debezium.data.Enum"), "\"b,c\"", "b/c") { Origin = Enum, Mapping = Labels },
        new(Text, T("string", "io.debezium.data.EnumSet"), "\"x,y\"", "X,y") { Origin = new(Type: null) { IsSet = true }, Mapping = Labels },
        new(TestRoutes.Array("v", ColumnKind.Text, "text"), T("string", "io.debezium.data.EnumSet"), "\"x,y\"", "{X,y}") { Origin = new(Type: null) { IsSet = true }, Mapping = Labels },

        // NULL stands for a zero date where the file has a rule for those, or the target takes no NULL.
        new(Date, T("int32", "io.debezium.time.Date"), "null", Null),
        new(Date, T("int32", "io.debezium.time.Date"), "null", Null) { Mapping = new() { ZeroDate = new(DateAction.Null) } },
        new(Date, T("int32", "io.debezium.time.Date"), "null", Reselect) { Mapping = new() { ZeroDate = new(DateAction.Replace, "-infinity") } },
        new(Date, T("int32", "io.debezium.time.Date"), "null", Reselect) { Mapping = new() { ZeroDate = new(DateAction.Refuse) } },
        new(Date, T("int32", "io.debezium.time.Date"), "null", Reselect) { Mapping = new() { PartialDate = new(DateAction.First) } },
        new(Date with { NotNull = true }, T("int32", "io.debezium.time.Date"), "null", Reselect),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "1709210096700000", "2024-02-29 12:34:56.7") { Mapping = new() { ZeroDate = new(DateAction.Refuse) } },

        // What the target cannot be fed from events.
        new(V(ColumnKind.Float, "double precision"), T("float32"), "0.1", Reselect) { Origin = new(Type: null) { ReadAgain = ReadAgain.Always } },
    ];

    private static string T(string type, string? name = null) => $"{{\"type\":\"{type}\"{(name is null ? "" : $",\"name\":\"{name}\"")}}}";

    private static TargetColumn V(ColumnKind kind, string sql) => TestRoutes.Column("v", kind, sql);
}
