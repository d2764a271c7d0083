using System.Collections.Concurrent;
using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Repair;

/// <summary>
/// Repairs of sound rows while they change: whatever interleaves, they do no harm. The source's changes reach the log, and may be applied, while their transactions are
/// committing and nobody sees them yet; a repair that reads a row then and writes it would undo a change that never comes again.
/// </summary>
public sealed class RepairRaceTests(PostgresFixture postgres)
{
    private const int Keys = 40;
    private const int ChangesOfWriter = 60;
    private const int Writers = 4;

    [Fact]
    public async Task A_repair_never_writes_over_a_newer_change()
    {
        var token = TestContext.Current.CancellationToken;
        await using var scene = await RepairScene.CreateAsync(postgres, "create table t(id int primary key, v text, code text unique)");
        await scene.Source.ExecuteAsync("""
            create function tell() returns trigger language plpgsql as $$
            begin
                if tg_op = 'DELETE' then raise notice 'change % -', old.id; else raise notice 'change % %', new.id, new.v; end if;
                perform pg_sleep(0.015);
                return null;
            end $$;
            create constraint trigger tell after insert or update or delete on t deferrable initially deferred for each row execute function tell()
            """);
        var log = new ConcurrentQueue<(string Id, string Value)>();
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => WriteAsync(scene.Source, writer, log)));
        var applying = ApplyAsync(scene, log, writing);
        var repairs = 0;
        var random = new Random(1);
        var order = await scene.OrderAsync(Enumerable.Range(0, Keys).Select(id => new RowKey(Text(id))).ToDictionary(key => key, key => new RowMismatch(key, DifferenceKind.Different, [])));
        while (!applying.IsCompleted)
        {
            var keys = Enumerable.Range(0, 5).Select(_ => new RowKey(Text(random.Next(Keys)))).Distinct().ToList();
            repairs += (await scene.Repair.RepairAsync(order, keys, token)).Count(row => row.Fault is null);
        }

        await applying;
        Assert.True(repairs > Keys, $"{repairs}");
        Assert.Equal(await scene.Source.RowsAsync("select * from t order by id"), await scene.RowsAsync());
    }

    /// <summary>Changes of rows; each is told to the log while it commits, in the order of commits of its row.</summary>
    private static async Task WriteAsync(TestDatabase source, int writer, ConcurrentQueue<(string, string)> log)
    {
        var random = new Random(writer + 7);
        await using var connection = await source.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        connection.Notice += (_, told) =>
        {
            if (told.Notice.MessageText.Split(' ') is ["change", var id, var value])
            {
                log.Enqueue((id, value));
            }
        };
        for (var i = 0; i < ChangesOfWriter; i++)
        {
            var id = random.Next(Keys);
            await using var command = new NpgsqlCommand(
                random.Next(4) == 0
                    ? string.Create(CultureInfo.InvariantCulture, $"delete from t where id = {id}")
                    : string.Create(CultureInfo.InvariantCulture, $"insert into t values ({id}, 'w{writer}-{i}', 'c{id}') on conflict (id) do update set v = excluded.v"),
                connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The lane: what the log holds, in batches of whatever is there.</summary>
    private static async Task ApplyAsync(RepairScene scene, ConcurrentQueue<(string Id, string Value)> log, Task writing)
    {
        var route = scene.Target.Route("t");
        var writer = await scene.ClaimAsync();
        while (true)
        {
            var ended = writing.IsCompleted;
            var batch = new BatchBuilder(RepairScene.Lane, writer.NextOffset);
            var from = batch.Offset;
            while (log.TryDequeue(out var change))
            {
                _ = change.Value == "-" ? batch.Delete(route, ("id", change.Id)) : batch.Insert(route, ("id", change.Id), ("v", change.Value), ("code", $"c{change.Id}"));
            }

            if (batch.Offset > from)
            {
                await writer.ApplyAsync(batch.Build(), TestContext.Current.CancellationToken);
            }
            else if (ended)
            {
                await writing;
                return;
            }
            else
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }

    private static string Text(int id) => id.ToString(CultureInfo.InvariantCulture);
}
