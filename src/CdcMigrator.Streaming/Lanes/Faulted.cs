using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;

namespace CdcMigrator.Streaming.Lanes;

/// <summary>Any exception as the fault it means.</summary>
internal static class Faulted
{
    public static Fault From(Exception exception, LaneId lane)
    {
        var cause = exception;
        while (cause is AggregateException { InnerException: { } inner })
        {
            cause = inner;
        }

        return cause switch
        {
            FaultException known => known.Fault.Lane is null ? known.Fault with { Lane = lane } : known.Fault,
            OperationCanceledException => new Fault(FaultKind.Transient, "cancelled", "The work in flight was cancelled") { Lane = lane },
            _ => new Fault(FaultKind.Internal, "unexpected", $"{cause.GetType().Name}: {cause.Message}", "Report it with the log; the lane tries again by itself.") { Lane = lane },
        };
    }
}
