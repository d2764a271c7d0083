using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium;

/// <summary>What events carry of a PostgreSQL column, as the decoder sees it: for checks and documentation.</summary>
public static class EventFidelity
{
    /// <summary>What is taken from events of a column of this type.</summary>
    public static Carriage Of(ColumnType type, DebeziumSettings settings)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(settings);
        return settings.PlainText ? Carriage.Whole
            : UnfaithfulTypes.IsUnconvertible(type) ? Carriage.Unconvertible
            : LogicalTypes.Assume(type, settings).IsUnfaithful ? Carriage.Never
            : UnfaithfulTypes.IsNullAmbiguous(type, settings) ? Carriage.NullIsAmbiguous
            : Carriage.Whole;
    }
}
