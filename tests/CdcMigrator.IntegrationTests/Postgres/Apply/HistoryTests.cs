using System.Globalization;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using CsCheck;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>
/// Random histories of a source table, cut into lanes by key, batched at random, with repeats, crashes and lanes at different speeds: the target
/// must end as the source did. <c>CDCM_HISTORIES</c> sets how many.
/// </summary>
public sealed class HistoryTests(PostgresFixture postgres)
{
    private const int Lanes = 3;
    private static readonly int Histories = int.Parse(Environment.GetEnvironmentVariable("CDCM_HISTORIES") ?? "120", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Any_history_ends_in_the_target_as_it_did_in_the_source()
    {
        await using var database = await postgres.CreateTargetAsync("create table rows(id int primary key, mail text unique, v text, big text)");
        var source = new ModelSource();
        await using var target = await LaneTarget.CreateAsync(database, ["public.rows"], source, new ApplySection { UniqueWait = TimeSpan.FromSeconds(20) });
        var run = 0;
        await Gen.Int[0, int.MaxValue - 1].SampleAsync(async seed =>
        {
            await new History(target, source, $"h{Interlocked.Increment(ref run)}", new Random(seed)).RunAsync();
        }, iter: Histories, threads: 1, seed: Environment.GetEnvironmentVariable("CDCM_SEED"));
    }

    /// <summary>The source as its rows are at the end: what reselection reads.</summary>
    private sealed class ModelSource : ISourceRows
    {
        public Dictionary<int, string?[]> Rows { get; set; } = [];

        public Task<IReadOnlyList<string?[]?>> ReadAsync(
            TableRoute route, IReadOnlyList<string[]> keys, IReadOnlyList<int> columns, IReadOnlyCollection<uint> transactions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<string?[]?>>([.. keys.Select(key =>
                Rows.TryGetValue(int.Parse(key[0], CultureInfo.InvariantCulture), out var row) ? columns.Select(column => row[column]).ToArray() : null)]);

        public Task<IReadOnlyCollection<uint>> ReadRunningAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyCollection<uint>>([]);
    }

    private sealed record Event(ChangeOperation Operation, KeyChangeHalf Half, SourcePosition Position, int Id, string?[] Values);

    private sealed class History(LaneTarget target, ModelSource source, string topic, Random random)
    {
        private readonly List<Event>[] lanes = [.. Enumerable.Range(0, Lanes).Select(_ => new List<Event>())];
        private readonly Dictionary<int, string?[]> rows = [];
        private readonly TableRoute route = target.Route("rows");
        private ulong lsn = 1000;
        private ulong lastCommit;

        public async Task RunAsync()
        {
            await target.Database.ExecuteAsync("truncate rows");
            for (var transaction = random.Next(5, 40); transaction > 0; transaction--)
            {
                for (var change = random.Next(1, 4); change > 0; change--)
                {
                    Change();
                    lsn += 10;
                }

                lastCommit = lsn;
                lsn += 10;
            }

            Repeat();
            source.Rows = rows;
            await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => ApplyAsync(lane, new Random(random.Next()))));
            var expected = rows.OrderBy(row => row.Key).Select(row => string.Join('|', row.Value.Select(value => value ?? "∅")));
            Assert.Equal(expected, await target.Database.RowsAsync("select * from rows order by id"));
        }

        private void Change()
        {
            var id = random.Next(1, 7);
            if (!rows.TryGetValue(id, out var row))
            {
                rows[id] = [Text(id), FreeMail(), Text(random.Next(100)), $"big {lsn}"];
                Emit(ChangeOperation.Insert, KeyChangeHalf.None, id, rows[id]);
                return;
            }

            switch (random.Next(10))
            {
                case 0 or 1:
                    rows.Remove(id);
                    Emit(ChangeOperation.Delete, KeyChangeHalf.None, id, [Text(id)]);
                    break;
                case 2 or 3 when Enumerable.Range(1, 6).Where(other => !rows.ContainsKey(other)).ToArray() is { Length: > 0 } free:
                    var to = free[random.Next(free.Length)];
                    rows.Remove(id);
                    rows[to] = [Text(to), row[1], row[2], row[3]];
                    Emit(ChangeOperation.Delete, KeyChangeHalf.OldKey, id, [Text(id)]);
                    Emit(ChangeOperation.Insert, KeyChangeHalf.NewKey, to, [Text(to), row[1], row[2], BatchBuilder.Unavailable]);
                    break;
                case 4 or 5:
                    rows[id] = [row[0], FreeMail(), row[2], row[3]];
                    Emit(ChangeOperation.Update, KeyChangeHalf.None, id, [rows[id][0], rows[id][1], rows[id][2], BatchBuilder.Unavailable]);
                    break;
                case 6:
                    rows[id] = [row[0], row[1], row[2], $"big {lsn}"];
                    Emit(ChangeOperation.Update, KeyChangeHalf.None, id, rows[id]);
                    break;
                default:
                    rows[id] = [row[0], row[1], Text(random.Next(100)), row[3]];
                    Emit(ChangeOperation.Update, KeyChangeHalf.None, id, [rows[id][0], rows[id][1], rows[id][2], BatchBuilder.Unavailable]);
                    break;
            }
        }

        /// <summary>A mail no row has, of few, so that mails pass from row to row.</summary>
        private string? FreeMail()
        {
            var mails = Enumerable.Range(0, 8).Select(mail => $"m{mail}").Where(mail => rows.Values.All(row => row[1] != mail)).ToArray();
            return random.Next(4) == 0 ? null : mails[random.Next(mails.Length)];
        }

        private void Emit(ChangeOperation operation, KeyChangeHalf half, int id, string?[] values) =>
            lanes[id % Lanes].Add(new Event(operation, half, new SourcePosition(lastCommit, lsn, 0), id, [.. values]));

        /// <summary>A connector that restarts repeats everything from one position on, in all lanes: old records again, then the new ones.</summary>
        private void Repeat()
        {
            for (var restart = random.Next(3); restart > 0; restart--)
            {
                var from = (ulong)random.NextInt64(0, (long)lsn);
                var killed = from + (ulong)random.Next(400);
                foreach (var lane in lanes)
                {
                    var first = lane.FindIndex(record => record.Position.Lsn >= from);
                    var last = lane.FindLastIndex(record => record.Position.Lsn <= killed);
                    if (first >= 0 && last >= first)
                    {
                        lane.InsertRange(last + 1, lane.GetRange(first, last + 1 - first));
                    }
                }
            }
        }

        private async Task ApplyAsync(int partition, Random own)
        {
            var lane = new LaneId(topic, partition);
            var events = lanes[partition];
            while (true)
            {
                try
                {
                    var writer = await target.Store.ClaimAsync(lane, new LogIdentity("cluster", "", Lanes), 0, CancellationToken.None);
                    while (writer.NextOffset < events.Count)
                    {
                        await ApplySomeAsync(writer, events, own);
                    }

                    return;
                }
                catch (FaultException fault) when (fault.Fault.Kind is FaultKind.Transient or FaultKind.Unreachable or FaultKind.Fenced)
                {
                    await Task.Delay(own.Next(20));
                }
            }
        }

        private async Task ApplySomeAsync(ILaneWriter writer, List<Event> events, Random own)
        {
            var batch = new BatchBuilder(writer.Lane, writer.NextOffset);
            foreach (var record in events.Skip((int)writer.NextOffset).Take(own.Next(1, 12)))
            {
                batch.Add(route, record.Operation, record.Half, record.Position, [.. record.Values.Select((value, i) => (route.SourceColumns[i], value))]);
            }

            var applying = writer.ApplyAsync(batch.Build(), CancellationToken.None);
            if (own.Next(6) == 0)
            {
                // Somewhere before, within or behind the transaction: the lane does not learn what became of it.
                await Task.Delay(own.Next(4));
                await target.Database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'cdcm-apply'");
            }

            await applying;
        }

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
