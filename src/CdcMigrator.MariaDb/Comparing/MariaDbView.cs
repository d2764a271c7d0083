using CdcMigrator.Domain.Comparing;
using CdcMigrator.MariaDb.Fencing;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>
/// A consistent snapshot of a MariaDB source by its place in the binlog, which is the order of commits: it has every transaction written before that place and none
/// behind. A change's measure is its event's <see cref="BinlogPosition.Value"/>; the snapshot's place is the end of a transaction, so that it does not matter whether an
/// event is named by its beginning or its end.
/// </summary>
/// <param name="Position">Where the snapshot is.</param>
public sealed record MariaDbView(BinlogPosition Position) : ISourceView
{
    /// <inheritdoc />
    public bool Sees(ulong transaction) => transaction < Position.Value;

    /// <summary>Whatever is written later stands behind in the binlog, when ever it began.</summary>
    public bool IsPast(ISourceView earlier) => earlier is MariaDbView other && other.Position.Value <= Position.Value;

    /// <inheritdoc />
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Position.File}:{Position.Offset}");
}
