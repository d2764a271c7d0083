using System.Collections.Concurrent;
using CdcMigrator.Reconciliation.Reading.Avro;

namespace CdcMigrator.Reconciliation.Reading;

/// <summary>
/// Schemas Avro records were written with, by the id a registry gave them. Filled by whoever asks the registry when a reading
/// <see cref="RecordKind.NeedsSchema">needs one</see>. Thread-safe.
/// </summary>
public sealed class WriterSchemas
{
    private readonly ConcurrentDictionary<int, AvroType> types = new();

    /// <summary>Adds a schema. The same id always means the same schema.</summary>
    /// <exception cref="FormatException">It is no Avro schema.</exception>
    public void Add(int id, string schema) => types[id] = AvroTypes.Parse(schema);

    /// <summary>The type of an id; null where it is not known yet.</summary>
    internal AvroType? Find(int id) => types.GetValueOrDefault(id);
}
