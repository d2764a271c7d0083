using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Names the row in a fault: table, key, lane and offset.</summary>
internal static class RowFaults
{
    public static Fault Of(ChangeBatch batch, in Change change, Fault fault) => fault with
    {
        Lane = batch.Lane,
        Offset = change.Offset,
        Table = change.Route.Source.ToString(),
        Key = KeyText.Of(batch, change),
    };
}
