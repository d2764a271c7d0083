using CdcMigrator.Reconciliation.Reading.Keys;

namespace CdcMigrator.Reconciliation.Reading.Avro;

/// <summary>An Avro type, made once from a writer's schema. Types may contain themselves.</summary>
internal sealed class AvroType(AvroShape shape)
{
    /// <summary>How its values lie in bytes.</summary>
    public AvroShape Shape { get; } = shape;

    /// <summary>A record's fields, a union's branches, or the one type of an array's or map's items.</summary>
    public IReadOnlyList<AvroType> Parts { get; set; } = [];

    /// <summary>Names of a record's fields.</summary>
    public IReadOnlyList<string> Fields { get; set; } = [];

    /// <summary>What a record's fields are to an event.</summary>
    public EventPart[] Roles { get; set; } = [];

    /// <summary>An enum's symbols.</summary>
    public IReadOnlyList<byte[]> Symbols { get; set; } = [];

    /// <summary>Bytes of a fixed type.</summary>
    public int Size { get; set; }

    /// <summary>What Connect says its values mean.</summary>
    public FieldMeaning Meaning { get; set; }
}
