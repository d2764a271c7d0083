using System.Collections.Concurrent;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.TestKit.Kafka;

/// <summary>What all decoders of a test share; also its schema registry.</summary>
public sealed class TextDecoderState : ISchemaLoader
{
    /// <summary>Poison decodes once it is set: the operator has mended the target.</summary>
    public bool Cured { get; set; }

    public ConcurrentDictionary<int, bool> Schemas { get; } = new();

    /// <summary>Called before a schema is given out; may throw.</summary>
    public Action<int>? BeforeLoad { get; set; }

    public int Loads { get; private set; }

    public async Task LoadAsync(int schemaId, CancellationToken cancellationToken)
    {
        await Task.Yield();
        Loads++;
        BeforeLoad?.Invoke(schemaId);
        Schemas[schemaId] = true;
    }
}
