using System.Text;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Reading;

namespace CdcMigrator.UnitTests.Reconciliation.Reading;

/// <summary>A key's value, spelled as each setting of the connector has it, and the text it is told as; null where nobody could say.</summary>
public sealed class KeyTextTests
{
    private static readonly TableName Name = new("public", "t");

    [Theory]
    [InlineData("integer", "7", "7")]
    [InlineData("bigint", "-9223372036854775808", "-9223372036854775808")]
    [InlineData("integer", "1.0", null)]
    [InlineData("integer", "\"7\"", null)]
    [InlineData("integer", "null", null)]
    [InlineData("text", "\"a\\\"b\\u00e9\\n\"", "a\"bé\n")]
    [InlineData("character varying(3)", "\"a  \"", "a  ")]
    [InlineData("character(5)", "\"ab   \"", "ab   ")]
    [InlineData("boolean", "true", "t")]
    [InlineData("boolean", "\"t\"", null)]
    [InlineData("inet", "\"10.0.0.1\"", "10.0.0.1")]
    [InlineData("uuid", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]
    [InlineData("enum", "\"très bad\"", "très bad")]
    [InlineData("public.mood", "\"ok\"", null)]
    [InlineData("public.citext", "\"Ab\"", "Ab")]
    [InlineData("interval", "\"P0Y1M2DT0H0M3.5S\"", null)]
    [InlineData("money", "\"1.1\"", null)]
    [InlineData("tstzrange", "\"[,)\"", null)]
    [InlineData("real", "0.1", "0.1")]
    [InlineData("real", "1000000.0", "1e+06")]
    [InlineData("real", "123456.0", "123456")]
    [InlineData("double precision", "1.0E15", "1e+15")]
    [InlineData("double precision", "123456789012345.0", "123456789012345")]
    [InlineData("double precision", "0.0001", "0.0001")]
    [InlineData("double precision", "0.00001", "1e-05")]
    [InlineData("double precision", "-1.5E-300", "-1.5e-300")]
    [InlineData("double precision", "\"-Infinity\"", "-Infinity")]
    public void Plain_types(string type, string value, string? text) => Assert.Equal(text, Told(new() { TopicPrefix = "p" }, type, value));

    [Theory]
    [InlineData(DecimalEncoding.Text, "numeric", "\"1.1000\"", "1.1000")]
    [InlineData(DecimalEncoding.Text, "numeric", "\"NAN\"", "NaN")]
    [InlineData(DecimalEncoding.Text, "numeric", "\"1E+2\"", null)]
    [InlineData(DecimalEncoding.Precise, "numeric(12,2)", "\"JwY=\"", "99.90")]
    [InlineData(DecimalEncoding.Precise, "numeric(12,2)", "\"/w==\"", "-0.01")]
    [InlineData(DecimalEncoding.Precise, "numeric(12,0)", "\"JwY=\"", "9990")]
    [InlineData(DecimalEncoding.Precise, "numeric", "{\"scale\":1,\"value\":\"Cw==\"}", null)]
    [InlineData(DecimalEncoding.Precise, "numeric", "\"JwY=\"", null)]
    [InlineData(DecimalEncoding.Precise, "numeric(6,-2)", "\"JwY=\"", null)]
    [InlineData(DecimalEncoding.Double, "numeric(12,2)", "99.9", "99.90")]
    [InlineData(DecimalEncoding.Double, "numeric(12,2)", "-0.0", "0.00")]
    [InlineData(DecimalEncoding.Double, "numeric(12,2)", "99.901", null)]
    [InlineData(DecimalEncoding.Double, "numeric(24,2)", "99.9", null)]
    [InlineData(DecimalEncoding.Double, "numeric", "99.9", null)]
    [InlineData(DecimalEncoding.Unknown, "numeric(12,2)", "\"1234\"", null)]
    public void Numerics(DecimalEncoding decimals, string type, string value, string? text) =>
        Assert.Equal(text, Told(new() { TopicPrefix = "p", Decimals = decimals }, type, value));

    [Theory]
    [InlineData(BinaryEncoding.Bytes, "\"AP+/\"", @"\x00ffbf")]
    [InlineData(BinaryEncoding.Base64, "\"\"", @"\x")]
    [InlineData(BinaryEncoding.Base64, "\"AP-_\"", null)]
    [InlineData(BinaryEncoding.Base64Url, "\"AP-_\"", @"\x00ffbf")]
    [InlineData(BinaryEncoding.Hex, "\"00FF\"", @"\x00ff")]
    [InlineData(BinaryEncoding.Hex, "\"00F\"", null)]
    [InlineData(BinaryEncoding.Unknown, "\"00\"", null)]
    public void Bytes(BinaryEncoding binary, string value, string? text) => Assert.Equal(text, Told(new() { TopicPrefix = "p", Binary = binary }, "bytea", value));

    [Theory]
    [InlineData("bit(12)", "\"AQo=\"", "101000000001")]
    [InlineData("bit(12)", "\"\"", "000000000000")]
    [InlineData("bit(3)", "\"BQ==\"", "101")]
    [InlineData("bit(3)", "\"DQ==\"", null)]
    [InlineData("bit(1)", "true", "1")]
    [InlineData("bit varying(3)", "\"BQ==\"", null)]
    public void Bits(string type, string value, string? text) => Assert.Equal(text, Told(new() { TopicPrefix = "p" }, type, value));

    [Theory]
    [InlineData(TimeEncoding.Adaptive, "timestamp(3) without time zone", "1709210096789", "2024-02-29 12:34:56.789")]
    [InlineData(TimeEncoding.Adaptive, "timestamp without time zone", "1709210096789012", "2024-02-29 12:34:56.789012")]
    [InlineData(TimeEncoding.Adaptive, "timestamp(3) without time zone", "9223372036825200", null)]
    [InlineData(TimeEncoding.Microseconds, "timestamp(3) without time zone", "1709210096789000", "2024-02-29 12:34:56.789")]
    [InlineData(TimeEncoding.Microseconds, "timestamp without time zone", "9223372036825200000", "infinity")]
    [InlineData(TimeEncoding.Microseconds, "timestamp without time zone", "9223372036825200001", null)]
    [InlineData(TimeEncoding.Microseconds, "timestamp without time zone", "-1", "1969-12-31 23:59:59.999999")]
    [InlineData(TimeEncoding.Nanoseconds, "timestamp without time zone", "1709210096789012000", "2024-02-29 12:34:56.789012")]
    [InlineData(TimeEncoding.Nanoseconds, "timestamp without time zone", "1709210096789012001", null)]
    [InlineData(TimeEncoding.Connect, "timestamp without time zone", "1709210096789", null)]
    [InlineData(TimeEncoding.Connect, "timestamp(3) without time zone", "1709210096789", "2024-02-29 12:34:56.789")]
    [InlineData(TimeEncoding.IsoString, "timestamp without time zone", "\"2024-02-29T12:34:56.789012Z\"", "2024-02-29 12:34:56.789012")]
    [InlineData(TimeEncoding.IsoString, "timestamp without time zone", "\"+294247-01-10T04:00:25.2Z\"", null)]
    [InlineData(TimeEncoding.IsoString, "date", "\"2024-02-29Z\"", "2024-02-29")]
    [InlineData(TimeEncoding.IsoString, "date", "\"-4712-01-01Z\"", null)]
    [InlineData(TimeEncoding.IsoString, "time without time zone", "\"12:34:56.5Z\"", "12:34:56.5")]
    [InlineData(TimeEncoding.IsoString, "time without time zone", "\"00:00:00Z\"", null)]
    [InlineData(TimeEncoding.Microseconds, "timestamp with time zone", "\"2024-02-29T10:34:56.789000Z\"", "2024-02-29 10:34:56.789+00")]
    [InlineData(TimeEncoding.Microseconds, "timestamp with time zone", "\"-0043-03-15T12:00:00.000000Z\"", "0044-03-15 12:00:00+00 BC")]
    [InlineData(TimeEncoding.Microseconds, "timestamp with time zone", "\"2024-02-29T10:34:56+02:00\"", null)]
    [InlineData(TimeEncoding.Microseconds, "timestamp with time zone", "\"infinity\"", "infinity")]
    [InlineData(TimeEncoding.Microseconds, "date", "-2440550", "4713-01-01 BC")]
    [InlineData(TimeEncoding.Connect, "date", "19782", "2024-02-29")]
    [InlineData(TimeEncoding.Adaptive, "time(3) without time zone", "86400000", "24:00:00")]
    [InlineData(TimeEncoding.AdaptiveTimeMicroseconds, "time(3) without time zone", "45296789000", "12:34:56.789")]
    [InlineData(TimeEncoding.Nanoseconds, "time without time zone", "45296789012000", "12:34:56.789012")]
    [InlineData(TimeEncoding.Unknown, "date", "19782", null)]
    public void Dates_and_times(TimeEncoding times, string type, string value, string? text) =>
        Assert.Equal(text, Told(new() { TopicPrefix = "p", Times = times }, type, value));

    [Theory]
    [InlineData("date", "-719162")]
    [InlineData("timestamp without time zone", "-12218860800000000")]
    [InlineData("timestamp with time zone", "\"1582-10-20T00:00:00.000000Z\"")]
    public void Old_dates_that_a_snapshot_read_are_not_told(string type, string value)
    {
        var settings = new ReadingSettings { TopicPrefix = "p", Times = TimeEncoding.Microseconds };
        Assert.NotNull(Told(settings, type, value));
        Assert.Null(Told(settings, type, value, "r"));
    }

    [Theory]
    [InlineData(TimeEncoding.Adaptive, "date", "1970-01-02")]
    [InlineData(TimeEncoding.Adaptive, "timestamp without time zone", null)]
    [InlineData(TimeEncoding.Adaptive, "time without time zone", null)]
    [InlineData(TimeEncoding.Adaptive, "timestamp(3) without time zone", "1970-01-01 00:00:00.001")]
    [InlineData(TimeEncoding.Microseconds, "timestamp without time zone", "1970-01-01 00:00:00.000001")]
    [InlineData(TimeEncoding.Connect, "timestamp without time zone", null)]
    public void A_type_without_its_declaration_is_told_only_where_its_digits_do_not_matter(TimeEncoding times, string type, string? text) =>
        Assert.Equal(text, Told(new() { TopicPrefix = "p", Times = times }, null, "1", type: type));

    [Theory]
    [InlineData("boolean", "t", "t")]
    [InlineData("character(5)", "ab   ", "ab   ")]
    [InlineData("timestamp(3) without time zone", "infinity", "infinity")]
    [InlineData("interval", "1 mon", "1 mon")]
    [InlineData("enum", "ok", "ok")]
    [InlineData("public.pair", "(1,2)", "(1,2)")]
    public void The_embedded_log_carries_the_text_itself(string type, string value, string text) =>
        Assert.Equal(text, Told(ReadingSettings.ForEmbeddedLog("p"), type, $"\"{value}\""));

    [Theory]
    [InlineData("bigint(20) unsigned", "-1", "18446744073709551615")]
    [InlineData("int(10) unsigned", "4294967295", "4294967295")]
    [InlineData("varchar(20)", "\"a\"", "a")]
    [InlineData("enum('a','b')", "\"a\"", "a")]
    [InlineData("enum('a','b')", "\"b\\\\,c\"", null)]
    [InlineData("uuid", "\"00eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", null)]
    [InlineData("uuid", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]
    [InlineData("datetime(6)", "1709210096789012", "2024-02-29 12:34:56.789012")]
    [InlineData("datetime", "0", null)]
    [InlineData("date", "0", null)]
    [InlineData("timestamp", "\"1970-01-01T00:00:00Z\"", null)]
    [InlineData("timestamp", "\"2024-02-29T12:34:56Z\"", "2024-02-29 12:34:56+00")]
    [InlineData("binary(2)", "\"AP8=\"", @"\x00ff")]
    [InlineData("decimal(10,2)", "\"1.10\"", "1.10")]
    [InlineData("set('a','b')", "\"a\"", null)]
    [InlineData("float", "0.1", null)]
    public void MariaDB(string type, string value, string? text)
    {
        var settings = ReadingSettings.FromConnector(new Dictionary<string, string>
        {
            ["connector.class"] = "io.debezium.connector.mariadb.MariaDbConnector",
            ["topic.prefix"] = "p",
            ["decimal.handling.mode"] = "string",
            ["time.precision.mode"] = "microseconds",
        });
        Assert.Equal(text, Told(settings, type, value));
    }

    [Theory]
    [InlineData("avro", "Weird Col-é", "Weird_Col__")]
    [InlineData("avro", "1st", "_1st")]
    [InlineData("avro_unicode", "Weird Col_é", "Weird_u0020Col_u005f_u00e9")]
    [InlineData("avro_unicode", "1st", "_u0031st")]
    [InlineData("none", "Weird Col-é", "Weird Col-é")]
    public void Adjusted_names_are_found(string mode, string column, string field)
    {
        var settings = ReadingSettings.FromConnector(new Dictionary<string, string> { ["topic.prefix"] = "p", ["field.name.adjustment.mode"] = mode });
        Assert.Equal("7", Told(settings, "integer", "7", column: column, field: field));
        Assert.Null(Told(settings, "integer", "7", column: column, field: "other"));
    }

    [Theory]
    [InlineData(CanonicalForm.TrimmedNumber, "numeric(12,3)", "\"1.100\"", "1.1")]
    [InlineData(CanonicalForm.TrimmedNumber, "numeric(12,3)", "\"100.000\"", "100")]
    [InlineData(CanonicalForm.TrimmedNumber, "numeric(12,0)", "\"100\"", "100")]
    [InlineData(CanonicalForm.TrimmedNumber, "bigint", "100", "100")]
    [InlineData(CanonicalForm.Unpadded, "character(5)", "\"ab   \"", "ab")]
    [InlineData(CanonicalForm.Json, "timestamp with time zone", "\"2024-02-29T10:34:56Z\"", null)]
    public void A_key_is_told_in_the_form_it_is_compared_in(CanonicalForm form, string type, string value, string? text) =>
        Assert.Equal(text, Told(new() { TopicPrefix = "p", Decimals = DecimalEncoding.Text }, type, value, form: form));

    [Theory]
    [InlineData("binary(16)", "\"oO68mZwLTvi7bWu5vTgKEQ==\"", "a0eebc999c0b4ef8bb6d6bb9bd380a11")]
    [InlineData("binary(16)", "\"oO68mZwLTvi7bWu5vTgK\"", "a0eebc999c0b4ef8bb6d6bb9bd380a00")]
    [InlineData("binary(16)", "\"oO68mZwLTvi7bWu5vTgKEQA=\"", null)]
    [InlineData("uuid", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc999c0b4ef8bb6d6bb9bd380a11")]
    [InlineData("uuid", "\"00eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", null)]
    [InlineData("mapped binary(16)", "\"oO68mZwLTvi7bWu5vTgKEQ==\"", null)]
    public void Uuids_of_MariaDB(string type, string value, string? text) => Assert.Equal(text, Told(new() { TopicPrefix = "p", IsMySqlFamily = true }, type, value, form: CanonicalForm.Hex));

    [Theory]
    [InlineData("binary(3)", "\"AAEC\"", @"\x000102")]
    [InlineData("binary(3)", "\"AAE=\"", @"\x000100")]
    [InlineData("varbinary(3)", "\"AAE=\"", @"\x0001")]
    [InlineData("int(10) unsigned zerofill", "7", "7")]
    [InlineData("mapped tinyint(1)", "1", null)]
    [InlineData("mapped enum('a','b')", "\"a\"", null)]
    public void Other_keys_of_MariaDB(string type, string value, string? text) => Assert.Equal(text, Told(new() { TopicPrefix = "p", IsMySqlFamily = true }, type, value));

    private static string? Told(
        ReadingSettings settings, string? declaration, string value, string operation = "c", string column = "id", string? field = null, string type = "text", CanonicalForm form = CanonicalForm.Text)
    {
        var table = new ComparedTable
        {
            Source = Name,
            Target = Name,
            Columns = [new ComparedColumn(column, column, form) { SourceType = type, SourceDeclaration = declaration }],
            Key = [0],
        };
        var source = settings.IsMySqlFamily ? """{"db":"public","table":"t","file":"m.000003","pos":17}""" : """{"schema":"public","table":"t","txId":5}""";
        var reading = new RecordReader(settings, [table], new WriterSchemas()).Read(new LogRecord
        {
            Lane = new LaneId("p.public.t", 0),
            Offset = 0,
            Key = Encoding.UTF8.GetBytes($$$"""{"{{{field ?? column}}}":{{{value}}}}"""),
            Value = Encoding.UTF8.GetBytes($$$"""{"before":null,"after":{"id":{"x":[1,"}"]}},"source":{{{source}}},"op":"{{{operation}}}"}"""),
        });
        Assert.Equal(RecordKind.Change, reading.Kind);
        Assert.Equal(reading.Change.Key is null, reading.Doubt is not null);
        return reading.Change.Key?.Values[0];
    }
}
