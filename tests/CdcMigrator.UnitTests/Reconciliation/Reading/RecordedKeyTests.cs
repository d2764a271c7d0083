using System.Text;
using System.Text.Json;
using CdcMigrator.Domain.Log;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.Reconciliation.Reading.Avro;
using CdcMigrator.Reconciliation.Reading.Keys;
using CdcMigrator.UnitTests.Debezium.Corpora;

namespace CdcMigrator.UnitTests.Reconciliation.Reading;

/// <summary>
/// Every column of the recorded rows taken for a key: what is told is what the source prints, whatever the type, the format and the connector's modes,
/// from snapshot and stream. The rest is doubted, never wrong.
/// </summary>
public sealed class RecordedKeyTests
{
    private static readonly string[] Always =
    [
        "a", "b", "c_bit1", "c_bool", "c_char", "c_cidr", "c_citext", "c_dater", "c_double", "c_enum", "c_i4r", "c_inet", "c_int2", "c_int4", "c_int8", "c_ltree", "c_mac", "c_mac8",
        "c_name", "c_ichar", "c_numr", "c_oid", "c_real", "c_text", "c_tsr", "c_tstz", "c_uuid", "c_vchar", "c_bytea", "c_date", "c_dom", "c_bit12", "c_time", "c_time3", "c_ts", "c_ts3",
        "c_gen", "1st", "customer", "id", "late", "n", "placed", "plain", "t", "ts", "must", "Weird Col-é",
    ];

    [Theory]
    [InlineData("faithful", "c_num c_num_ps c_domnum total")]
    [InlineData("defaults", "c_num_ps c_domnum total")]
    [InlineData("iso", "c_num total")]
    [InlineData("avro", "c_num_ps c_domnum total")]
    public void A_told_key_is_the_sources_text(string name, string numerics)
    {
        var (told, doubted, wrong) = Compare(name);
        Assert.Empty(wrong);
        var columns = told.Select(value => value.Column).ToHashSet();
        Assert.Equal([], Always.Concat(numerics.Split(' ')).Except(columns).Order());
        Assert.Equal([], columns.Except(Always).Except(numerics.Split(' ')).Order());
        Assert.True(told.Count > 250, $"only {told.Count} told, {doubted.Count} doubted");
    }

    [Theory]
    [InlineData("faithful")]
    [InlineData("avro")]
    public void Of_types_that_are_told_only_what_a_snapshot_or_a_wrap_may_have_changed_is_doubted(string name)
    {
        var (told, doubted, _) = Compare(name);
        var tellable = told.Select(value => value.Column).ToHashSet();
        var single = doubted.Where(value => tellable.Contains(value.Column)).Select(value => $"{value.Row} {value.Column}").Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "106 c_ts", "108 c_ts", "4 c_date", "5 c_date", "5 c_ts", "5 c_ts3", "5 c_tstz", "6 c_ts", "7 c_ts", "7 c_tstz", "8 c_ts",
            ],
            single);
    }

    private static (List<(string Row, string Column)> Told, List<(string Row, string Column)> Doubted, List<string> Wrong) Compare(string name)
    {
        var log = RecordedLog.Of(name);
        var schemas = RecordedLog.SchemaTexts().ToDictionary(schema => schema.Key, schema => AvroTypes.Parse(schema.Value));
        var expected = Corpus.Expected();
        var reader = log.Reader();
        var (told, doubted, wrong) = (new List<(string, string)>(), new List<(string, string)>(), new List<string>());
        foreach (var record in log.Records.Where(record => record.Value is not null && record.Key is not null))
        {
            var reading = reader.Read(record);
            if (reading.Kind != RecordKind.Change || reading.Change.Key is not { } key || AfterOf(record, schemas) is not { } after)
            {
                continue;
            }

            var row = expected[$"{reading.Change.Table} {string.Join('|', key.Values)}"].Dequeue();
            var table = log.Tables.Single(table => table.Source == reading.Change.Table);
            for (var i = 0; i < table.Columns.Count; i++)
            {
                var column = table.Columns[i];

                // A column added later; a value out of line, which keys never are left out for; one streamed events lack, for it is generated.
                if (row.GetValueOrDefault(column.Source) is not { Length: < 2000 } text || (column.Source == "c_gen" && !reading.Change.Mark.IsRead))
                {
                    continue;
                }

                var (got, doubt) = Read(new KeyTable(table with { Key = [i] }, log.Settings), log.Settings, after, reading.Change.Mark.IsRead);
                var where = (string.Join('|', key.Values), column.Source);
                (got is null ? doubted : told).Add(where);
                if (got is null ? doubt is null : got != text)
                {
                    wrong.Add($"{reading.Change.Table} {where}: '{got}' for '{text}' ({column.SourceDeclaration})");
                }
            }
        }

        return (told, doubted, wrong);
    }

    private static (string? Text, string? Doubt) Read(KeyTable table, ReadingSettings settings, Image after, bool isRead)
    {
        var keys = new KeyReader(settings);
        var key = after.Type is null
            ? keys.OfJson(after.Bytes, table, isRead, out var doubt)
            : keys.OfAvro(after.Bytes, after.Type, table, isRead, out doubt);
        return (key?.Values[0], doubt);
    }

    /// <summary>A row's new image in the form of a key.</summary>
    private static Image? AfterOf(LogRecord record, Dictionary<int, AvroType> schemas)
    {
        if (record.Value![0] == 0)
        {
            var type = schemas[(record.Value[1] << 24) | (record.Value[2] << 16) | (record.Value[3] << 8) | record.Value[4]];
            var bytes = new AvroBytes(record.Value.AsSpan(AvroEvents.Prefix));
            bytes.Pass(type.Parts[0]);
            var after = bytes.Enter(type.Parts[1]);
            return after.Shape == AvroShape.Null ? null : new Image(bytes.Take(bytes.Left).ToArray(), after);
        }

        using var document = JsonDocument.Parse(record.Value);
        var root = document.RootElement;
        if (!root.TryGetProperty("payload", out var payload))
        {
            return root.GetProperty("after") is { ValueKind: JsonValueKind.Object } plain ? new Image(Encoding.UTF8.GetBytes(plain.GetRawText()), null) : null;
        }

        var schema = root.GetProperty("schema").GetProperty("fields").EnumerateArray().Single(field => field.GetProperty("field").GetString() == "after");
        return payload.GetProperty("after") is { ValueKind: JsonValueKind.Object } row
            ? new Image(Encoding.UTF8.GetBytes($$"""{"schema":{{schema.GetRawText()}},"payload":{{row.GetRawText()}}}"""), null)
            : null;
    }

    private sealed record Image(byte[] Bytes, AvroType? Type);
}
