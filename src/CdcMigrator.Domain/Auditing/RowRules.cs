using System.Globalization;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Auditing;

/// <summary>What follows from the size of a table's rows. Pure.</summary>
public static class RowRules
{
    /// <summary>The finding of a table whose largest row is more than Kafka takes unless told otherwise; none for others.</summary>
    /// <param name="mapping">The table in the migration file.</param>
    /// <param name="largestRow">Bytes of its largest row as text; null where that is not known.</param>
    /// <param name="carriesOldRow">Updates carry the row as it was too, so that a message holds two.</param>
    /// <param name="maxRecordBytes">Largest record the migration accepts, in bytes.</param>
    public static IEnumerable<Finding> Of(TableMapping mapping, long? largestRow, bool carriesOldRow, long maxRecordBytes)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        if (largestRow is not { } bytes || bytes * (carriesOldRow ? 2 : 1) <= ValueRules.MessageBytes)
        {
            yield break;
        }

        var message = bytes * (carriesOldRow ? 2 : 1);
        var what = string.Create(CultureInfo.InvariantCulture, $"The largest row of {mapping.Source} is {bytes / 1e6:0.0} MB{(carriesOldRow ? ", of which updates carry two (old and new)" : "")}");
        var limits = string.Create(CultureInfo.InvariantCulture, $"max.message.bytes of the topic (and message.max.bytes and replica.fetch.max.bytes of the brokers) and producer.override.max.request.size of the connector to {Math.Ceiling(message * 1.5 / 1e6):0} MB or more");
        yield return message > maxRecordBytes
            ? new(Severity.Error, "large-row", $"{what}: more than apply.maxRecordBytes", $"Raise apply.maxRecordBytes, and {limits}, with the memory of all three") { Table = mapping.Source.ToString() }
            : new(Severity.Warning, "large-row", $"{what}: Kafka refuses messages of more than 1 MB unless it is told to take them, and the connector stops", $"Raise {limits}") { Table = mapping.Source.ToString() };
    }
}
