using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Changes that can never be applied, by what they are. Pure.</summary>
internal static class RefusedChanges
{
    /// <summary>The first of a batch, and why; null where none is.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="identity">The lane's log.</param>
    /// <param name="hasSource">Whether the source's rows can be read.</param>
    /// <param name="hasLogRun">Whether the log itself tells one life from another, where records do not name the connector's run.</param>
    public static (int Index, Fault Fault)? First(ChangeBatch batch, LogIdentity identity, bool hasSource, bool hasLogRun)
    {
        var wholeTable = identity.PartitionCount == 1 || identity.Ephemeral;
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            if (change.Operation == ChangeOperation.Truncate && !wholeTable && (!hasSource || change.Position.Lsn == 0))
            {
                return (i, new Fault(FaultKind.Poison, "truncate",
                    $"Table {change.Route.Source} was truncated in the source, and topic {batch.Lane.Topic} has several partitions: without the source's LSNs and its rows it is not known which changes of the others came before",
                    $"Set 'onePartition: true' on the table in the migration file, so that its topic is made with one, and copy the tables again ('Starting over' in docs/cli.md)")
                {
                    Lane = batch.Lane,
                    Offset = change.Offset,
                    Table = change.Route.Source.ToString(),
                });
            }

            if (change.Route.IsKeyless != batch.Changes[0].Route.IsKeyless)
            {
                return (i, RowFaults.Of(batch, change, new Fault(FaultKind.Poison, "keyless-mixed",
                    $"Topic {batch.Lane.Topic} carries {change.Route.Source} beside {batch.Changes[0].Route.Source}, of which only one has a key", "Let each table have its own topic")));
            }

            if (change.Route.IsKeyless && KeylessRules.Refuse(batch, change, identity.PartitionCount == 1 || (identity.Ephemeral && batch.Lane.Partition == 0), change.Run != 0 || hasLogRun) is { } refusal)
            {
                return (i, RowFaults.Of(batch, change, refusal));
            }

            foreach (var column in change.Operation == ChangeOperation.Truncate ? [] : change.Route.Key.Columns)
            {
                if (batch.Slot(change, column).State != ColumnState.Value)
                {
                    return (i, RowFaults.Of(batch, change, new Fault(FaultKind.Poison, "keyless",
                        $"The change has no value for key column {change.Route.SourceColumns[column]}",
                        "Give the table the same primary key on both sides, and REPLICA IDENTITY DEFAULT in the source")));
                }
            }
        }

        return null;
    }
}
