using CdcMigrator.Domain.Faults;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.Streaming.Lanes;
using Confluent.Kafka;

namespace CdcMigrator.Streaming.Consuming;

/// <summary>
/// A lane was offered another offset than it expects, or none: asks the broker what the partition still holds. Where the expected offset is
/// there, the lane reads from it once more; else it halts, for records are gone that were never applied.
/// </summary>
internal sealed class GapCheck(LaneParts parts, Action<Action<IConsumer<byte[]?, byte[]?>>> post)
{
    private const int MostInARow = 10;

    /// <summary>Poll thread only; the answer comes back as a note to it.</summary>
    public void Verify(LaneSession session)
    {
        session.Verifying = true;
        _ = VerifyAsync(session, session.Offsets.Expected, ++session.Verifications);
    }

    private async Task VerifyAsync(LaneSession session, long expected, int inARow)
    {
        Fault? fault;
        try
        {
            var ranges = await parts.Inspector.ReadRangesAsync([session.Id], session.Closing).ConfigureAwait(false);
            fault = LogRules.CheckRange(session.Id, expected, ranges[session.Id])
                ?? (inARow < MostInARow ? null : Refused(session, expected, ranges[session.Id]));
        }
        catch (Exception e)
        {
            fault = Faulted.From(e, session.Id);
        }

        post(_ =>
        {
            if (fault is not null)
            {
                // It stays Verifying: nothing more is delivered. What was taken before is still applied first.
                session.Records.Add(LogEntry.Of(fault));
                return;
            }

            session.Verifying = false;
            session.WantsSeek = true;
        });
    }

    private static Fault Refused(LaneSession session, long expected, LogRange range) => new(
        FaultKind.Unreachable,
        "offset-refused",
        $"The broker does not deliver offset {expected} of {session.Id} though it claims to hold {range.Start} to {range.End}")
    {
        Lane = session.Id,
    };
}
