using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.TestKit.Changes;

namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>
/// Applies one history: all lanes at once at their own speed, batches cut at random, sessions killed at any moment, commits whose outcome
/// the lane does not learn, and lanes that change their owner while the old one goes on.
/// </summary>
internal sealed class HistoryRun(LaneTarget target, LaneTarget keyless, HistorySource source, HistoryShape shape, string topic, Random random)
{
    private readonly LogIdentity identity = new("cluster", "", shape.Lanes);
    private readonly History log = shape.Make(random);

    private LaneTarget Place => shape.IsKeyless ? keyless : target;

    public async Task RunAsync()
    {
        await target.Database.ExecuteAsync($"delete from {shape.Name}; delete from cdc_migrator.progress; delete from cdc_migrator.truncation");
        source.Rows = log.Rows;
        await Task.WhenAll(Enumerable.Range(0, shape.Lanes).Select(lane => ApplyLaneAsync(lane, new Random(random.Next()))));
        Assert.Equal(log.Expected, (await target.Database.RowsAsync($"select {(shape.IsKeyless ? "*" : "id, u, v, big")} from {shape.Name}")).Order(StringComparer.Ordinal));
    }

    private async Task ApplyLaneAsync(int partition, Random own)
    {
        var records = log.Lanes[partition];
        var abandoned = new List<ILaneWriter>();
        while (true)
        {
            var writer = await ClaimAsync(new LaneId(topic, partition));
            foreach (var old in abandoned)
            {
                await AssertShutOutAsync(old, records, own);
            }

            abandoned.Clear();
            try
            {
                while (writer.NextOffset < records.Count)
                {
                    await ApplyBatchAsync(writer, records, own);
                    if (own.Next(8) == 0)
                    {
                        // Another process takes the lane; this one does not know, or never learnt of its last commit.
                        abandoned.Add(writer);
                        break;
                    }
                }
            }
            catch (FaultException fault) when (fault.Fault.Code == "keyless-repeat")
            {
                Assert.Equal(log.HaltsAt, fault.Fault.Offset);
                return;
            }
            catch (FaultException fault) when (fault.Fault.Kind is FaultKind.Transient or FaultKind.Unreachable || (shape.Truncates && fault.Fault.Kind == FaultKind.Fenced))
            {
                // Killed; or told by another lane's truncate to claim anew.
                continue;
            }

            if (abandoned.Count == 0)
            {
                Assert.Null(log.HaltsAt);
                return;
            }
        }
    }

    private async Task<ILaneWriter> ClaimAsync(LaneId lane)
    {
        while (true)
        {
            try
            {
                return await Place.Store.ClaimAsync(lane, identity, 0, CancellationToken.None);
            }
            catch (FaultException fault) when (fault.Fault.Kind is FaultKind.Transient or FaultKind.Unreachable)
            {
                // Killed by another lane.
            }
        }
    }

    private async Task ApplyBatchAsync(ILaneWriter writer, List<HistoryRecord> records, Random own)
    {
        var applying = writer.ApplyAsync(Batch(writer, records, own), CancellationToken.None);
        if (own.Next(60) == 0)
        {
            // Somewhere before, within or behind the transaction: the lane does not learn what became of it.
            await target.Database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'cdcm-apply'");
        }

        await applying;
    }

    /// <summary>A former owner that goes on writes nothing, whether its batch holds changes or not.</summary>
    private async Task AssertShutOutAsync(ILaneWriter old, List<HistoryRecord> records, Random own)
    {
        if (old.NextOffset >= records.Count)
        {
            return;
        }

        try
        {
            await old.ApplyAsync(Batch(old, records, own), CancellationToken.None);
            Assert.Fail("A former owner has written");
        }
        catch (FaultException fault) when (fault.Fault.Kind is FaultKind.Fenced or FaultKind.Transient or FaultKind.Unreachable)
        {
            // Shut out, or killed by another lane before it could be.
        }
    }

    private Domain.Changes.ChangeBatch Batch(ILaneWriter writer, List<HistoryRecord> records, Random own)
    {
        var route = Place.Route(shape.Name);
        var batch = new BatchBuilder(writer.Lane, writer.NextOffset);
        foreach (var record in records.Skip((int)writer.NextOffset).Take(own.Next(1, 12)))
        {
            _ = record.IsTombstone ? batch.Nothing()
                : shape.IsKeyless ? batch.BeginningWithinLsn(record.MayBeginWithinLsn).AddKeyless(route, record.Operation, record.Position, record.Run, Columns(record.Values)!, Columns(record.Before))
                : batch.SentBy(record.Run).Add(route, record.Operation, record.Half, record.Position, Columns(record.Values)!);
        }

        return batch.Build();

        (string, string?)[]? Columns(string?[]? values) => values is null ? null : [.. values.Select((value, i) => (route.SourceColumns[i], value))];
    }
}
