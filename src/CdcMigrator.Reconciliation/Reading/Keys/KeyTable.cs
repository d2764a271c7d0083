using System.Text;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Reading.Avro;

namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>A table whose changes are observed, with what reading its keys needs. Not thread-safe.</summary>
internal sealed class KeyTable
{
    private readonly byte[] owner;
    private readonly byte[] table;
    private readonly Dictionary<AvroType, KeyPlan> avroPlans = new(ReferenceEqualityComparer.Instance);
    private readonly string?[] doubts;
    private byte[] jsonSchema = [];
    private KeyPlan? jsonPlan;

    /// <summary>Makes the table of its comparison's definition.</summary>
    public KeyTable(ComparedTable compared, ReadingSettings settings)
    {
        Name = compared.Source;
        owner = Encoding.UTF8.GetBytes(Name.Schema);
        table = Encoding.UTF8.GetBytes(Name.Name);
        Topic = TopicOf(Name, settings);
        Columns = [.. compared.Key.Select(i => new KeyColumn(compared.Columns[i], settings))];
        Schemaless = new KeyPlan([], [.. Columns.Select(column => column.Schemaless)]);
        doubts =
        [
            .. compared.Key.Select(i => compared.Columns[i])
                .Select(column => $"a value of key column {column.Source} ({column.SourceDeclaration ?? column.SourceType}) of {Name} cannot be told from its event"),
            $"an event of {Name} does not carry the key's columns",
        ];
    }

    /// <summary>The source table.</summary>
    public TableName Name { get; }

    /// <summary>Topic its records are in, unless the connector routes them elsewhere.</summary>
    public string Topic { get; }

    /// <summary>The key's columns in the key's order; none for a table without a key.</summary>
    public KeyColumn[] Columns { get; }

    /// <summary>How its keys are read where they have no schema.</summary>
    public KeyPlan Schemaless { get; }

    /// <summary>Why a key is not told: which column's value is in doubt, or none is there.</summary>
    public string? DoubtOf(int column) => doubts[column];

    /// <summary>Why a key is not told: the event lacks it.</summary>
    public string? DoubtOfAll => doubts[^1];

    /// <summary>Whether an event is of this table.</summary>
    public bool IsOf(in EnvelopeHead head) => head.Table.SequenceEqual(table) && head.Owner.SequenceEqual(owner);

    /// <summary>How keys of an Avro type are read.</summary>
    public KeyPlan PlanOf(AvroType key)
    {
        if (!avroPlans.TryGetValue(key, out var plan))
        {
            avroPlans[key] = plan = PlanOf(key.Fields, [.. key.Parts.Select(MeaningOf)]);
        }

        return plan;
    }

    /// <summary>How keys of a JSON schema are read. Keys of a table have the same schema until its columns change, so the last one is kept.</summary>
    public KeyPlan PlanOf(ReadOnlySpan<byte> schema)
    {
        if (jsonPlan is null || !schema.SequenceEqual(jsonSchema))
        {
            var (fields, meanings) = Json.JsonSchemas.Read(schema);
            jsonPlan = PlanOf(fields, meanings);
            jsonSchema = schema.ToArray();
        }

        return jsonPlan;
    }

    private static FieldMeaning MeaningOf(AvroType part) => part.Shape != AvroShape.Union
        ? part.Meaning
        : part.Parts.FirstOrDefault(branch => branch.Shape != AvroShape.Null)?.Meaning ?? default;

    private KeyPlan PlanOf(IReadOnlyList<string> fields, IReadOnlyList<FieldMeaning> meanings)
    {
        var columns = fields.Select(field => Array.FindIndex(Columns, column => column.Field == field)).ToArray();
        var meant = new FieldMeaning[Columns.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            if (columns[i] >= 0)
            {
                meant[columns[i]] = meanings[i];
            }
        }

        return new KeyPlan(columns, meant);
    }

    /// <summary>As Debezium names topics: what Kafka does not allow in a name becomes <c>_</c>.</summary>
    private static string TopicOf(TableName name, ReadingSettings settings) => string.Concat(
        string.Join(settings.TopicDelimiter, settings.TopicPrefix, name.Schema, name.Name)
            .Select(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-' ? character : '_'));
}
