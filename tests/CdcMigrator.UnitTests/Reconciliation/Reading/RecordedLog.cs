using System.Text.Json;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Reading;
using CdcMigrator.TestKit;
using CdcMigrator.UnitTests.Debezium.Corpora;

namespace CdcMigrator.UnitTests.Reconciliation.Reading;

/// <summary>The recorded events (tests/corpora) as the reconciler is given them.</summary>
internal sealed class RecordedLog
{
    private RecordedLog(string name)
    {
        Settings = ReadingSettings.FromConnector(Lines("settings.jsonl").Single(line => line.GetProperty("connector").GetString() == name)
            .GetProperty("config").Deserialize<Dictionary<string, string>>()!);
        Records = Corpus.Of(name).Records;
        Tables = [.. Lines("catalog.jsonl").Select(Table)];
    }

    public ReadingSettings Settings { get; }

    public IReadOnlyList<LogRecord> Records { get; }

    public IReadOnlyList<ComparedTable> Tables { get; }

    public static RecordedLog Of(string name) => new(name);

    public static Dictionary<int, string> SchemaTexts()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "corpora", "avro-schemas.json")));
        return document.RootElement.EnumerateObject().ToDictionary(schema => int.Parse(schema.Name), schema => schema.Value.GetProperty("schema").GetString()!);
    }

    public static WriterSchemas Schemas()
    {
        var schemas = new WriterSchemas();
        foreach (var (id, schema) in SchemaTexts())
        {
            schemas.Add(id, schema);
        }

        return schemas;
    }

    public RecordReader Reader() => new(Settings, Tables, Schemas());

    private static List<JsonElement> Lines(string file) =>
        [.. File.ReadLines(Repository.PathOf("tests", "corpora", file)).Select(line => JsonDocument.Parse(line).RootElement)];

    private static ComparedTable Table(JsonElement table)
    {
        var name = TableName.Parse(table.GetProperty("table").GetString()!);
        var columns = table.GetProperty("columns").EnumerateArray().Select(Column).ToArray();
        var key = table.GetProperty("key");
        return new ComparedTable
        {
            Source = name,
            Target = name,
            Columns = columns,
            Key = key.ValueKind == JsonValueKind.Array ? [.. key.EnumerateArray().Select(part => Array.FindIndex(columns, column => column.Source == part.GetString()))] : [],
        };
    }

    private static ComparedColumn Column(JsonElement column)
    {
        var name = column.GetProperty("name").GetString()!;
        var sql = column.GetProperty("sql").GetString()!;
        var modifier = column.GetProperty("typmod").GetInt32();
        return new ComparedColumn(name, name, CanonicalForm.Text)
        {
            SourceType = sql,
            SourceDeclaration = column.GetProperty("kind").GetString() == "e" && column.GetProperty("elementSql").GetString() is null ? "enum" : Declared(sql, modifier),
        };
    }

    /// <summary>As <c>format_type</c> prints a type with its modifier.</summary>
    private static string Declared(string sql, int modifier) => modifier < 0 ? sql : sql switch
    {
        "numeric" => $"numeric({(modifier - 4) >> 16},{(modifier - 4) & 0x7FF})",
        "bit" or "bit varying" => $"{sql}({modifier})",
        "character" or "character varying" => $"{sql}({modifier - 4})",
        "time without time zone" or "timestamp without time zone" => sql.Insert(sql.IndexOf(' ', StringComparison.Ordinal), $"({modifier})"),
        _ => sql,
    };
}
