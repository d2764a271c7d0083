using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>A sequence of one side that concerns the migration: it numbers a column of its tables, or lies in one of their schemas.</summary>
/// <param name="Name">Schema and name.</param>
internal sealed record KnownSequence(TableName Name)
{
    /// <summary>The last value handed out; null where none was, or the role may not know.</summary>
    public long? Last { get; init; }

    /// <summary>What the next call gives where none was made yet; null where one was, or the role may not know.</summary>
    public long? Coming { get; init; }

    /// <summary>From one value to the next; never 0.</summary>
    public long Increment { get; init; } = 1;

    /// <summary>It begins anew at its end, so that what its column holds says nothing of what comes next.</summary>
    public bool Cycles { get; init; }

    /// <summary>Rights the role lacks that reading and setting it take.</summary>
    public IReadOnlyList<string> LacksRights { get; init; } = [];

    /// <summary>A column owns it, of whatever table.</summary>
    public bool IsOwned { get; init; }

    /// <summary>Columns of the migration's tables that own it, or whose default calls it.</summary>
    public IReadOnlyList<(TableName Table, string Column)> Numbers { get; init; } = [];

    /// <summary>Those of them of which the furthest value is known by one look into an index.</summary>
    public IReadOnlyList<(TableName Table, string Column)> Indexed { get; init; } = [];
}
