using System.Globalization;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.IntegrationTests.Postgres.Apply.Histories;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using CsCheck;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>
/// Random histories of a source table: however they are cut into lanes and batches, repeated, interrupted and taken over, the target must end as
/// the source did. A failure prints its seed; <c>CDCM_SEED</c> runs that history again, <c>CDCM_HISTORIES</c> sets how many are run.
/// </summary>
public sealed class HistoryTests(PostgresFixture postgres)
{
    private const int Databases = 3;
    private static readonly int Histories = int.Parse(Environment.GetEnvironmentVariable("CDCM_HISTORIES") ?? "1000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Any_history_ends_in_the_target_as_it_did_in_the_source()
    {
        var places = new Stack<(LaneTarget Target, LaneTarget Keyless, HistorySource Source)>();
        try
        {
            for (var i = 0; i < Databases; i++)
            {
                var database = await postgres.CreateTargetAsync($"create extension citext; create extension btree_gist; {string.Join(';', HistoryShape.All.Select(shape => shape.CreateSql))}");
                var source = new HistorySource();
                var time = new HurriedTime(50);
                var options = new ApplySection { UniqueWait = TimeSpan.FromMinutes(10) };
                places.Push((
                    await LaneTarget.CreateAsync(database, Tables(keyless: false), source, options, time),
                    await LaneTarget.CreateAsync(database, Tables(keyless: true), null, options, time, keyless: true), source));
            }

            var run = 0;
            using var free = new SemaphoreSlim(Databases);
            await Gen.Int[0, int.MaxValue - 1].SampleAsync(async seed =>
            {
                await free.WaitAsync();
                (LaneTarget Target, LaneTarget Keyless, HistorySource Source) place;
                lock (places)
                {
                    place = places.Pop();
                }

                try
                {
                    var random = new Random(seed);
                    var shape = HistoryShape.All[random.Next(HistoryShape.All.Count)];
                    await new HistoryRun(place.Target, place.Keyless, place.Source, shape, $"h{Interlocked.Increment(ref run)}", random).RunAsync();
                }
                finally
                {
                    lock (places)
                    {
                        places.Push(place);
                    }

                    free.Release();
                }
            }, iter: Histories, threads: Databases, seed: Environment.GetEnvironmentVariable("CDCM_SEED"));
        }
        finally
        {
            foreach (var (target, keyless, _) in places)
            {
                await keyless.DisposeAsync();
                await target.DisposeAsync();
            }
        }
    }

    private static string[] Tables(bool keyless) => [.. HistoryShape.All.Where(shape => shape.IsKeyless == keyless).Select(shape => $"public.{shape.Name}")];
}
