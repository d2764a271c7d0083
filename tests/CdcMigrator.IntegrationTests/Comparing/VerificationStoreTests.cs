using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Comparing;

/// <summary>What is known of tables survives the process that found it out.</summary>
public sealed class VerificationStoreTests(PostgresFixture postgres)
{
    private static readonly TableName Orders = new("public", "odd \"table\"");

    [Fact]
    public async Task What_is_known_is_read_as_it_was_kept_and_only_what_changed_is_written()
    {
        var token = TestContext.Current.CancellationToken;
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, token);
        var store = new VerificationStore(target.DataSource, "shop");
        var since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        RowKey first = new("1", "a,b"), second = new("2", ""), third = new("3", "NULL");
        var state = new TableState
        {
            Table = Orders,
            KeyColumns = ["id", "name"],
            Run = 7,
            Phase = TablePhase.Passing,
            Cursor = first,
            RowsSource = 10,
            RowsTarget = 9,
            EstimatedRows = 100,
            Covered = true,
            CoveredAt = since,
            PassBeganAt = since.AddHours(1),
            WrongTruncated = true,
            DirtyKeys = 3,
            VerifiedOffsets = new Dictionary<int, long> { [0] = 5, [3] = 1L << 40 },
            Verdict = Verdict.Mismatch,
            Reason = "because",
            Evidence = "seen",
            Wrong = new Dictionary<RowKey, RowMismatch> { [first] = new(first, DifferenceKind.Different, ["name"]), [second] = new(second, DifferenceKind.Missing, []) },
            Pending = new Dictionary<RowKey, DateTimeOffset> { [third] = since },
        };
        var owner = await store.ClaimAsync(token);
        await store.SaveAsync(state, "shape", null, owner, token);
        Assert.Equivalent(state, await ReadAsync(), strict: true);

        // One row is mended, one is decided, one is wrong otherwise.
        var next = state with
        {
            Cursor = null,
            Wrong = new Dictionary<RowKey, RowMismatch> { [first] = new(first, DifferenceKind.Extra, []), [third] = new(third, DifferenceKind.Missing, []) { Unlogged = true } },
            Pending = new Dictionary<RowKey, DateTimeOffset>(),
        };
        await store.SaveAsync(next, "shape", state, owner, token);
        Assert.Equivalent(next, await ReadAsync(), strict: true);
        Assert.Empty(await new VerificationStore(target.DataSource, "another").ReadTablesAsync(token));

        async Task<TableState> ReadAsync()
        {
            var (key, (kept, shape)) = Assert.Single(await store.ReadTablesAsync(token));
            Assert.Equal((Orders, "shape"), (key, shape));
            return kept;
        }
    }

    [Fact]
    public async Task A_run_ends_with_its_last_table_and_its_verdict_is_the_weakest()
    {
        var token = TestContext.Current.CancellationToken;
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, token);
        var store = new VerificationStore(target.DataSource, "shop");
        var items = new TableName("public", "items");
        var run = await store.RequestAsync([Mapping(Orders), Mapping(items)], "test", token);
        Assert.Equal(run, Assert.Single(await store.ReadRunningAsync(token)).Run);

        var owner = await store.ClaimAsync(token);
        await store.NoteAsync(run, new TableResult(Orders, Orders, Verdict.Equal, null, 5, 5, 0, 0, "x"), owner, token);
        Assert.Equal((true, Verdict.Unverified), ((await store.ReadRunAsync(run, token))!.IsRunning, (await store.ReadRunAsync(run, token))!.Verdict));
        await store.NoteAsync(run, new TableResult(items, items, Verdict.InFlight, null, 5, 5, 0, 2, null), owner, token);
        await store.NoteAsync(run, new TableResult(items, items, Verdict.InFlight, null, 5, 5, 0, 2, null), owner, token);
        var ended = (await store.ReadRunAsync(run, token))!;
        Assert.Equal(("finished", Verdict.InFlight, 2), (ended.State, ended.Verdict, ended.Tables.Count));
        Assert.NotNull(ended.FinishedAt);
        Assert.Empty(await store.ReadRunningAsync(token));

        var second = await store.RequestAsync([Mapping(Orders)], "test", token);
        Assert.Equal([second], await store.StopAsync(token));
        Assert.Empty(await store.StopAsync(token));
        Assert.Equal([second, run], (await store.ReadRunsAsync(10, token)).Select(found => found.Run));
        Assert.Null(await store.ReadRunAsync(second + 1, token));
    }

    [Fact]
    public async Task A_run_ends_also_where_its_tables_end_at_once()
    {
        var token = TestContext.Current.CancellationToken;
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, token);
        var store = new VerificationStore(target.DataSource, "shop");
        var owner = await store.ClaimAsync(token);
        TableName[] tables = [.. Enumerable.Range(0, 4).Select(i => new TableName("public", $"t{i}"))];
        for (var i = 0; i < 30; i++)
        {
            var run = await store.RequestAsync([.. tables.Select(Mapping)], "test", token);
            await Task.WhenAll(tables.Select(table => store.NoteAsync(run, new TableResult(table, table, Verdict.Equal, null, 5, 5, 0, 0, "x"), owner, token)));
            Assert.Equal("finished", (await store.ReadRunAsync(run, token))!.State);
        }
    }

    [Fact]
    public async Task A_sign_of_life_has_its_age_by_the_targets_clock()
    {
        var token = TestContext.Current.CancellationToken;
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, token);
        var store = new VerificationStore(target.DataSource, "shop");
        Assert.Null(await store.ReadBeatAsync(token));
        var owner = await store.ClaimAsync(token);
        Assert.Equal(-1, (await store.ReadBeatAsync(token))!.Behind);
        await store.BeatAsync(12, "a fault", owner, token);
        var beat = (await store.ReadBeatAsync(token))!;
        Assert.Equal((12, "a fault", true), (beat.Behind, beat.Fault, beat.Age >= TimeSpan.Zero));
    }

    [Fact]
    public async Task What_a_process_finds_that_lost_its_lease_is_refused_and_a_claim_waits_for_what_it_has_begun()
    {
        var token = TestContext.Current.CancellationToken;
        await using var target = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(target.DataSource, token);
        var store = new VerificationStore(target.DataSource, "shop");
        var before = await store.ClaimAsync(token);
        var state = new TableState { Table = Orders, Covered = true, Verdict = Verdict.Equal };
        await using (var open = await target.DataSource.OpenConnectionAsync(token))
        await using (var writing = await open.BeginTransactionAsync(token))
        {
            await using var share = new Npgsql.NpgsqlCommand("select from cdc_migrator.verification_beat for share", open);
            await share.ExecuteNonQueryAsync(token);
            var claim = store.ClaimAsync(token);
            while (await target.ScalarAsync<long>("select count(*) from pg_locks where not granted") == 0)
            {
                Assert.False(claim.IsCompleted);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
            }

            await writing.CommitAsync(token);
            Assert.Equal(before + 1, await claim);
        }

        var run = await store.RequestAsync([Mapping(Orders)], "test", token);
        foreach (var late in new Func<Task>[]
        {
            () => store.SaveAsync(state, "shape", null, before, token),
            () => store.NoteAsync(run, new TableResult(Orders, Orders, Verdict.Equal, null, 5, 5, 0, 0, null), before, token),
            () => store.BeatAsync(0, null, before, token),
        })
        {
            Assert.Equal(FaultKind.Fenced, (await Assert.ThrowsAsync<FaultException>(late)).Fault.Kind);
        }

        Assert.Empty(await store.ReadTablesAsync(token));
        Assert.True((await store.ReadRunAsync(run, token))!.IsRunning);
        Assert.Equal(-1, (await store.ReadBeatAsync(token))!.Behind);
    }

    private static TableMapping Mapping(TableName table) => new() { Source = table, Target = table };

    [Fact]
    public async Task Whoever_compares_is_woken_by_another_session()
    {
        var token = TestContext.Current.CancellationToken;
        await using var target = await postgres.CreateTargetAsync();
        await using var listening = await target.DataSource.OpenConnectionAsync(token);
        await using (var listen = new Npgsql.NpgsqlCommand($"listen {VerificationStore.Waking}", listening))
        {
            await listen.ExecuteNonQueryAsync(token);
        }

        var told = "";
        listening.Notification += (_, note) => told = note.Payload;
        await new VerificationStore(target.DataSource, "shop").WakeAsync(token);
        await listening.WaitAsync(token);
        Assert.Equal("shop", told);
    }
}
