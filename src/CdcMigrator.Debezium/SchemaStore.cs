using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using CdcMigrator.Debezium.Avro;

namespace CdcMigrator.Debezium;

/// <summary>Writer schemas of a registry, by id. Filled by whoever can do I/O, read by decoders. Thread-safe; ids never change their meaning.</summary>
public sealed class SchemaStore
{
    private readonly ConcurrentDictionary<int, string> schemas = new();
    private readonly ConcurrentDictionary<int, AvroNode> compiled = new();

    /// <summary>Whether the schema of this id is known.</summary>
    public bool TryGet(int id) => schemas.ContainsKey(id);

    /// <summary>The schema of this id as the registry gave it.</summary>
    public bool TryGet(int id, [NotNullWhen(true)] out string? json) => schemas.TryGetValue(id, out json);

    /// <summary>Makes a schema known. Idempotent: the first text given for an id stays.</summary>
    public void Add(int id, string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        schemas.TryAdd(id, json);
    }

    /// <summary>The schema compiled, once for all decoders.</summary>
    internal AvroNode Compiled(int id) =>
        compiled.TryGetValue(id, out var node) ? node : compiled.GetOrAdd(id, static (key, texts) => AvroSchemas.Compile(texts[key]), schemas);
}
