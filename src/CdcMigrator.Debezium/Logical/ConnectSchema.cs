namespace CdcMigrator.Debezium.Logical;

/// <summary>A value's Connect schema, from JSON's wrapper, from Avro, or assumed from the target column where nothing says it.</summary>
/// <param name="Kind">The primitive.</param>
/// <param name="Name">The logical type's name (<c>io.debezium.time.Date</c>); null where there is none.</param>
internal sealed record ConnectSchema(ConnectKind Kind, string? Name = null)
{
    /// <summary>May be null.</summary>
    public bool Optional { get; init; }

    /// <summary>Parameter <c>scale</c> of a decimal; null where it is not said.</summary>
    public int? Scale { get; init; }

    /// <summary>Parameter <c>length</c> of bits; null where it is not said.</summary>
    public int? Length { get; init; }

    /// <summary>Parameter <c>__debezium.source.column.name</c>: the column, whatever became of the field's name.</summary>
    public string? SourceColumn { get; init; }

    /// <summary>Schema of an array's elements.</summary>
    public ConnectSchema? Items { get; init; }

    /// <summary>Fields of a struct, in order.</summary>
    public IReadOnlyList<ConnectField> Fields { get; init; } = [];

    /// <summary>The default as JSON text; null where there is none or it is null.</summary>
    public string? Default { get; init; }

    /// <summary>The field of this name.</summary>
    public ConnectSchema? Field(string name)
    {
        foreach (var field in Fields)
        {
            if (field.Name == name)
            {
                return field.Schema;
            }
        }

        return null;
    }
}
