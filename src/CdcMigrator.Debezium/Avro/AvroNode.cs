using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Avro;

/// <summary>A writer's schema as it is walked to read values: layout and Connect's view of it. Immutable; shared by all decoders.</summary>
/// <param name="Kind">Layout.</param>
/// <param name="Connect">What the value is to Connect; of a union, what its branch beside null is.</param>
internal sealed record AvroNode(AvroKind Kind, ConnectSchema Connect)
{
    /// <summary>Branches of a union, fields of a record, the item of an array or map.</summary>
    public IReadOnlyList<AvroNode> Children { get; init; } = [];

    /// <summary>Names of a record's fields.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Symbols of an enum in UTF-8.</summary>
    public IReadOnlyList<byte[]> Symbols { get; init; } = [];

    /// <summary>Bytes of a fixed.</summary>
    public int Size { get; init; }

    /// <summary>What to do with each field when the record is an envelope.</summary>
    public IReadOnlyList<EnvelopeField> Envelope { get; init; } = [];

    /// <summary>What to do with each field when the record is a source block.</summary>
    public IReadOnlyList<SourceField> Source { get; init; } = [];

    /// <summary>The node of a field; null where there is none.</summary>
    public AvroNode? Field(string name)
    {
        for (var i = 0; i < Names.Count; i++)
        {
            if (Names[i] == name)
            {
                return Children[i];
            }
        }

        return null;
    }

    /// <summary>This node, or the record among a union's branches.</summary>
    public AvroNode? Record => Kind == AvroKind.Record ? this : Kind == AvroKind.Union ? Children.FirstOrDefault(branch => branch.Kind == AvroKind.Record) : null;
}
