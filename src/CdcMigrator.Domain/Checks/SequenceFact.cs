using System.Numerics;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Checks;

/// <summary>What numbers a column: an identity, a sequence its default calls, MariaDB's AUTO_INCREMENT.</summary>
/// <param name="Table">The column's table.</param>
/// <param name="Column">The column.</param>
/// <param name="Name">The sequence's name; the column's where it has none.</param>
public sealed record SequenceFact(TableName Table, string Column, string Name)
{
    /// <summary>The last value handed out; null where none was.</summary>
    public BigInteger? Last { get; init; }

    /// <summary>What the next call gives where none was made yet; null where one was, or it is not known.</summary>
    public BigInteger? Coming { get; init; }

    /// <summary>An index tells the column's furthest value at once, so that the cutover asks it behind the fence.</summary>
    public bool IsIndexed { get; init; } = true;

    /// <summary>A unique index has the column: a value that is given twice may be refused.</summary>
    public bool IsUnique { get; init; } = true;

    /// <summary>The column's value furthest in the sequence's direction; null where it has none.</summary>
    public BigInteger? Furthest { get; init; }

    /// <summary>From one value to the next; never 0.</summary>
    public long Increment { get; init; } = 1;

    /// <summary>Least value.</summary>
    public BigInteger Least { get; init; } = 1;

    /// <summary>Greatest value.</summary>
    public BigInteger Greatest { get; init; } = long.MaxValue;

    /// <summary>It begins anew at its end.</summary>
    public bool Cycles { get; init; }
}
