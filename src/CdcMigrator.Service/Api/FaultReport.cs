using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Service.Api;

/// <summary>A fault as the API shows it.</summary>
/// <param name="Kind">Who can act on it.</param>
/// <param name="Code">Stable name.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Fix">What to do.</param>
/// <param name="Topic">Topic of the lane it stopped.</param>
/// <param name="Partition">Partition of the lane it stopped.</param>
/// <param name="Offset">Offset of the record it stopped at.</param>
/// <param name="Table">Source table.</param>
/// <param name="Key">Key of the row.</param>
public sealed record FaultReport(
    FaultKind Kind, string Code, string Message, string Fix, string? Topic, int? Partition, long? Offset, string? Table, string? Key)
{
    /// <summary>The report of a fault.</summary>
    public static FaultReport Of(Fault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        return new(fault.Kind, fault.Code, fault.Message, fault.Fix, fault.Lane?.Topic, fault.Lane?.Partition, fault.Offset, fault.Table, fault.Key);
    }
}
