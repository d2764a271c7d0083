using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Changes;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>Gives the outcome of one field to the open row.</summary>
internal static class RowSink
{
    /// <summary>Ends the open value of a field.</summary>
    public static void End(FieldPlan field, Outcome outcome, ChangeBatch batch)
    {
        switch (outcome)
        {
            case Outcome.Value:
                batch.EndValue(field.Ordinal);
                if (field.AnyValueIsSuspect || IsSuspect(field, batch))
                {
                    batch.SetUnfaithful(field.Ordinal);
                }

                break;
            case Outcome.Null when !field.NullIsSuspect:
                batch.DropValue();
                batch.SetState(field.Ordinal, ColumnState.Null);
                break;
            case Outcome.Unavailable:
                batch.DropValue();
                batch.SetState(field.Ordinal, ColumnState.Unavailable);
                break;
            default:
                batch.DropValue();
                batch.SetUnfaithful(field.Ordinal);
                break;
        }
    }

    private static bool IsSuspect(FieldPlan field, ChangeBatch batch)
    {
        if (field.SuspectDefault is null && field.SuspectValue is null && field.SuspectZeroDates.Length == 0)
        {
            return false;
        }

        var value = batch.Value(batch.OpenSlot(field.Ordinal));
        if ((field.SuspectDefault is { } text && value.SequenceEqual(text)) || (field.SuspectValue is { } other && value.SequenceEqual(other)))
        {
            return true;
        }

        foreach (var zero in field.SuspectZeroDates)
        {
            if (value.StartsWith(zero))
            {
                return true;
            }
        }

        return false;
    }
}
