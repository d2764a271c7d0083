using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Records the connector repeats (invariant A4).</summary>
public sealed class ReplayTests(PostgresFixture postgres)
{
    private static readonly LaneId Lane = new("t", 0);

    [Fact]
    public async Task Of_a_log_with_exact_positions_a_repeated_range_is_skipped_and_counted()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.Store.ClaimAsync(Lane, new LogIdentity("life-1", "", 4) { Ephemeral = true }, 0, CancellationToken.None);
        await writer.ApplyAsync(Add(Add(Add(new BatchBuilder(Lane), items, 10, "1"), items, 20, "2"), items, 30, "3").Build(), CancellationToken.None);
        var counts = await writer.ApplyAsync(Add(Add(new BatchBuilder(Lane, 3), items, 10, "1"), items, 20, "2").Build(), CancellationToken.None);
        Assert.Equal((2L, 0L), (counts.Replays, counts.Applied));
        Assert.Equal(["1|3"], await target.Database.RowsAsync("select * from items"));
    }

    [Fact]
    public async Task What_the_connector_sends_first_after_a_start_is_applied_though_it_names_a_commit_from_before_others()
    {
        // It has stored an older offset than where its slot stands: two commits lie between that it does not know of.
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(Add(Add(new BatchBuilder(Lane), items, new SourcePosition(10, 20, 1), "1"), items, new SourcePosition(30, 40, 2), "2").Build(), CancellationToken.None);
        await writer.ApplyAsync(Add(Add(new BatchBuilder(Lane, 2), items, new SourcePosition(10, 60, 3), "3"), items, new SourcePosition(10, 62, 3), "4", key: "9").Build(), CancellationToken.None);
        Assert.Equal(["1|3", "9|4"], await target.Database.RowsAsync("select * from items order by 1"));

        // Its rows lie between those of one that committed before it.
        await writer.ApplyAsync(Add(new BatchBuilder(Lane, 4), items, new SourcePosition(70, 80, 4), "5").Build(), CancellationToken.None);
        await writer.ApplyAsync(Add(new BatchBuilder(Lane, 5), items, new SourcePosition(70, 78, 5), "6", key: "9").Build(), CancellationToken.None);
        Assert.Equal(["1|5", "9|6"], await target.Database.RowsAsync("select * from items order by 1"));
    }

    [Fact]
    public async Task Where_the_source_cannot_be_asked_a_repeat_is_applied_again_to_its_end()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(Add(Add(Add(new BatchBuilder(Lane), items, 10, "1"), items, 20, "2"), items, 30, "3").Build(), CancellationToken.None);
        var counts = await writer.ApplyAsync(Add(Add(new BatchBuilder(Lane, 3), items, 10, "1"), items, 20, "2").Build(), CancellationToken.None);
        Assert.Equal((0L, 2L), (counts.Replays, counts.Applied));
        await writer.ApplyAsync(Add(new BatchBuilder(Lane, 5), items, 30, "3").Build(), CancellationToken.None);
        Assert.Equal(["1|3"], await target.Database.RowsAsync("select * from items"));
        Assert.Equal(new SourcePosition(30, 30, 0), writer.HighestPosition);
    }

    [Fact]
    public async Task A_repeat_that_begins_in_one_batch_and_ends_in_the_next_leaves_no_older_state()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(Add(Add(Add(new BatchBuilder(Lane), items, 10, "1"), items, 20, "2"), items, 10, "1").Build(), CancellationToken.None);
        await writer.ApplyAsync(Add(new BatchBuilder(Lane, 3), items, 20, "2").Build(), CancellationToken.None);
        Assert.Equal(["1|2"], await target.Database.RowsAsync("select * from items"));
    }

    [Fact]
    public async Task A_repeat_that_begins_before_positions_are_known_is_applied_to_its_end()
    {
        // The first transaction after a connector's start has no last commit: it cannot be told from a new one. Skipping what
        // follows it would leave its older state.
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        var first = new SourcePosition(0, 5, 0);
        await writer.ApplyAsync(Add(Add(Add(Add(new BatchBuilder(Lane), items, first, "1"), items, 10, "2"), items, 20, "3"), items, 30, "4", key: "9").Build(), CancellationToken.None);
        await writer.ApplyAsync(Add(new BatchBuilder(Lane, 4), items, first, "1").Build(), CancellationToken.None);
        await writer.ApplyAsync(Add(Add(Add(new BatchBuilder(Lane, 5), items, 10, "2"), items, 20, "3"), items, 30, "4", key: "9").Build(), CancellationToken.None);
        Assert.Equal(["1|3", "9|4"], await target.Database.RowsAsync("select * from items order by 1"));
        Assert.Equal(new SourcePosition(30, 30, 0), writer.HighestPosition);
    }

    [Fact]
    public async Task Both_halves_of_a_key_change_are_applied_although_they_share_a_position()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(Add(new BatchBuilder(Lane), items, 10, "1").Build(), CancellationToken.None);
        var position = new SourcePosition(20, 20, 0);
        await writer.ApplyAsync(new BatchBuilder(Lane, 1).Add(items, ChangeOperation.Delete, KeyChangeHalf.OldKey, position, ("id", "1")).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(Lane, 2).Add(items, ChangeOperation.Insert, KeyChangeHalf.NewKey, position, ("id", "2"), ("v", "1")).Build(), CancellationToken.None);
        Assert.Equal(["2|1"], await target.Database.RowsAsync("select * from items"));
    }

    [Fact]
    public async Task Snapshot_rows_are_never_taken_for_replays()
    {
        await using var target = await CreateAsync();
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        await writer.ApplyAsync(Add(new BatchBuilder(Lane), items, 100, "1").Build(), CancellationToken.None);
        var counts = await writer.ApplyAsync(new BatchBuilder(Lane, 1)
            .Add(items, ChangeOperation.SnapshotRow, KeyChangeHalf.None, new SourcePosition(7, 7, 0), ("id", "2"), ("v", "s")).Build(), CancellationToken.None);
        Assert.Equal((1L, 0L), (counts.SnapshotRows, counts.Replays));
        Assert.Equal(new SourcePosition(100, 100, 0), writer.HighestPosition);
    }

    [Fact]
    public async Task A_repeat_is_not_settled_while_a_later_change_of_its_row_that_was_applied_is_not_seen_in_the_source_though_others_are()
    {
        var token = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync("""
            create table items(id int primary key, v text); insert into items values (1, 'first');
            create function wait() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(4711); return null; end';
            create constraint trigger wait after update on items deferrable initially deferred for each row when (new.v = 'second') execute function wait()
            """);
        await using var reading = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync("create table items(id int primary key, v text)"), ["public.items"], new SourceRows(reading, TimeProvider.System));
        await using var gate = await source.DataSource.OpenConnectionAsync(token);
        await ExecuteAsync(gate, "select pg_advisory_lock(4711)");
        var earlier = await ExecuteAsync(gate, "update items set v = 'first'; " + Id);

        // Its commit does not come to its end, as where a synchronous standby does not answer. One that committed later is seen.
        await using var writing = await source.DataSource.OpenConnectionAsync(token);
        var middle = await ExecuteAsync(writing, "begin; update items set v = 'second'; " + Id);
        var committing = ExecuteAsync(writing, "commit");
        while (await source.ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())") == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), token);
        }

        var latest = await ExecuteAsync(gate, "begin; insert into items values (9, 'latest'); " + Id + "; commit");
        var items = target.Route("items");
        var writer = await target.ClaimAsync();
        BatchBuilder Sent(long offset, ulong run) => Add(Add(new BatchBuilder(Lane, offset).SentBy(run), items, new SourcePosition(10, 20, earlier), "first"), items, new SourcePosition(30, 40, middle), "second");
        await writer.ApplyAsync(Add(Sent(0, 1), items, new SourcePosition(50, 60, latest), "latest", key: "9").Build(), token);
        var settling = writer.ApplyAsync(Sent(3, 2).Build(), token);
        await Task.WhenAny(settling, Task.Delay(TimeSpan.FromMilliseconds(300), token));
        await ExecuteAsync(gate, "select pg_advisory_unlock(4711)");
        await committing;
        await settling;
        Assert.Equal(["1|second", "9|latest"], await target.Database.RowsAsync("select * from items order by id"));
    }

    private const string Id = "select (txid_current() % 4294967296)::bigint";

    /// <summary>Runs statements; the last number they answer.</summary>
    private static async Task<uint> ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var id = 0L;
        do
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            {
                id = reader.GetFieldType(0) == typeof(long) ? reader.GetInt64(0) : id;
            }
        }
        while (await reader.NextResultAsync(TestContext.Current.CancellationToken));
        return (uint)id;
    }

    private static BatchBuilder Add(BatchBuilder batch, TableRoute route, ulong lsn, string value, string key = "1") =>
        Add(batch, route, new SourcePosition(lsn, lsn, 0), value, key);

    private static BatchBuilder Add(BatchBuilder batch, TableRoute route, SourcePosition position, string value, string key = "1") =>
        batch.Add(route, ChangeOperation.Update, KeyChangeHalf.None, position, ("id", key), ("v", value));

    private async Task<LaneTarget> CreateAsync() =>
        await LaneTarget.CreateAsync(await postgres.CreateTargetAsync("create table items(id int primary key, v text)"), ["public.items"]);
}
