using System.Text;
using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>What is done with one field of a row or key.</summary>
/// <param name="Name">The source column.</param>
/// <param name="FieldName">The field's name in the event, which may be adjusted.</param>
/// <param name="Ordinal">Target ordinal; -1 when the field is left out.</param>
/// <param name="Type">How its values are written.</param>
internal sealed record FieldPlan(string Name, string FieldName, int Ordinal, LogicalType Type)
{
    /// <summary>The field's name as readers meet it.</summary>
    public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(FieldName);

    /// <summary>
    /// Text of the column's default, where a converter may have put it in place of NULL; null where it does not. A value equal to it
    /// cannot be trusted, and none can when it is empty because the default could not be read.
    /// </summary>
    public byte[]? SuspectDefault { get; init; }

    /// <summary>Text of a value that may stand for one the connector cannot read; null where none does.</summary>
    public byte[]? SuspectValue { get; init; }

    /// <summary>Begins of what a zero date of MariaDB may arrive as where it is not NULL; empty for other columns.</summary>
    public byte[][] SuspectZeroDates { get; init; } = [];

    /// <summary>Null may stand for a value.</summary>
    public bool NullIsSuspect { get; init; }

    /// <summary>Any value may be a default in place of NULL.</summary>
    public bool AnyValueIsSuspect { get; init; }
}
