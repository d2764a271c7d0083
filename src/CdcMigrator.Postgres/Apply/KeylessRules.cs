using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Apply;

/// <summary>What a change of a keyless table must bring along to be applied exactly once.</summary>
internal static class KeylessRules
{
    /// <summary>Why a change cannot be applied; null where it can.</summary>
    public static Fault? Refuse(ChangeBatch batch, in Change change, bool wholeTable, bool hasRun)
    {
        var table = change.Route.Source;
        if (!wholeTable)
        {
            return Poison("keyless-partitions", $"Table {table} has no key and topic {batch.Lane.Topic} has several partitions: the order of its changes is not known",
                "Copy the table again through a topic of one partition ('Starting over' in docs/cli.md); 'cdcm connector render' shows it");
        }

        if (!hasRun)
        {
            return Poison("keyless-run", $"A change of {table}, which has no key, does not say which run of the connector sent it: a repeat cannot be told from a new row",
                "Use Debezium 3.2 or newer and leave its context headers on, or give the table a primary key");
        }

        if (change.Position.Lsn == 0 || (change.Position.TransactionId == 0 && change.Operation != ChangeOperation.SnapshotRow))
        {
            return Poison("keyless-snapshot", $"A change of {table}, which has no key, has no position in the source: whether its row is in the target already cannot be told",
                "Do not run incremental snapshots of tables without a key; copy the table again ('Starting over' in docs/cli.md)");
        }

        return Unread(change.Route, batch.Slots(change)) ?? (change.HasBefore ? Unread(change.Route, batch.Before(change)) : null);
    }

    /// <summary>A value the event does not carry can neither be looked for nor, without a key, be read from the source.</summary>
    private static Fault? Unread(TableRoute route, ReadOnlySpan<ValueSlot> row)
    {
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i].State == ColumnState.Unavailable && !route.Target.Columns[i].Generated)
            {
                return Poison("keyless-column", $"The event does not carry column {route.SourceColumns[i]} of {route.Source} faithfully, and without a key it cannot be read from the source",
                    "Set REPLICA IDENTITY FULL; if the column's type is one that events cannot carry, exclude the column or give the table a primary key");
            }
        }

        return null;
    }

    private static Fault Poison(string code, string message, string fix) => new(FaultKind.Poison, code, message, fix);
}
