using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Apply;

/// <summary>Columns the event does not carry (invariant A5).</summary>
public sealed class ReselectTests(PostgresFixture postgres)
{
    private const string Docs = "create table docs(id int primary key, name text, big text, more bytea)";
    private static readonly LaneId Lane = new("t", 0);

    [Fact]
    public async Task An_update_of_a_row_the_target_lacks_is_completed_from_the_source()
    {
        await using var pair = await CreateAsync("insert into docs values (1, 'newer', repeat('x', 10), '\\x00ff')");
        var docs = pair.Target.Route("docs");
        var writer = await pair.Target.ClaimAsync();
        var counts = await writer.ApplyAsync(new BatchBuilder(Lane)
            .Update(docs, ("id", "1"), ("name", "a"), ("big", BatchBuilder.Unavailable), ("more", BatchBuilder.Unavailable)).Build(), CancellationToken.None);
        Assert.Equal([@"1|a|xxxxxxxxxx|\x00ff"], await pair.Target.Database.RowsAsync("select * from docs"));
        Assert.Equal(1, counts.Reselected);
    }

    [Fact]
    public async Task The_new_half_of_a_key_change_gets_its_unavailable_column_from_the_source()
    {
        await using var pair = await CreateAsync("insert into docs values (2, 'a', 'big one', null)");
        var docs = pair.Target.Route("docs");
        await pair.Target.Database.ExecuteAsync("insert into docs values (1, 'a', 'big one', null)");
        var writer = await pair.Target.ClaimAsync();
        var position = new SourcePosition(100, 100, 0);
        await writer.ApplyAsync(new BatchBuilder(Lane)
            .Add(docs, ChangeOperation.Delete, KeyChangeHalf.OldKey, position, ("id", "1"))
            .Add(docs, ChangeOperation.Insert, KeyChangeHalf.NewKey, position, ("id", "2"), ("name", "a"), ("big", BatchBuilder.Unavailable), ("more", null))
            .Build(), CancellationToken.None);
        Assert.Equal(["2|a|big one|∅"], await pair.Target.Database.RowsAsync("select * from docs"));
    }

    [Fact]
    public async Task A_row_the_source_has_deleted_since_is_skipped()
    {
        await using var pair = await CreateAsync("");
        var docs = pair.Target.Route("docs");
        var writer = await pair.Target.ClaimAsync();
        await writer.ApplyAsync(new BatchBuilder(Lane)
            .Insert(docs, ("id", "1"), ("name", "a"), ("big", BatchBuilder.Unavailable))
            .Update(docs, ("id", "2"), ("name", "a"), ("big", BatchBuilder.Unavailable))
            .Insert(docs, ("id", "3"), ("name", "c"), ("big", "here")).Build(), CancellationToken.None);
        Assert.Equal(["3|c|here|∅"], await pair.Target.Database.RowsAsync("select * from docs"));
        Assert.Equal(3, writer.NextOffset);
    }

    [Fact]
    public async Task Many_rows_missing_in_the_target_are_completed_through_the_staging_table()
    {
        await using var pair = await CreateAsync("insert into docs select g, 's', 'big ' || g, null from generate_series(1, 1200) g");
        var docs = pair.Target.Route("docs");
        await pair.Target.Database.ExecuteAsync("insert into docs select g, 't', 'target''s own', null from generate_series(1, 1200, 2) g");
        var batch = new BatchBuilder(Lane);
        for (var i = 1; i <= 1200; i++)
        {
            batch.Update(docs, ("id", $"{i}"), ("name", "n"), ("big", BatchBuilder.Unavailable), ("more", null));
        }

        var counts = await (await pair.Target.ClaimAsync()).ApplyAsync(batch.Build(), CancellationToken.None);
        Assert.Equal(600, counts.Reselected);
        Assert.Equal(["0|n|600", "1|n|600"], await pair.Target.Database.RowsAsync("select id % 2, name, count(*) from docs group by 1, 2 order by 1, 2"));
        Assert.Equal(["600"], await pair.Target.Database.RowsAsync("select count(*) from docs where id % 2 = 1 and big = 'target''s own' and name = 'n'"));
        Assert.Equal(["600"], await pair.Target.Database.RowsAsync("select count(*) from docs where id % 2 = 0 and big = 'big ' || id and name = 'n'"));
    }

    [Fact]
    public async Task A_reselected_value_that_does_not_go_with_the_events_others_is_written_with_the_sources_present_row()
    {
        const string Spans = "create table spans(id int primary key, low int, high text, check (low < high::int))";
        await using var source = await postgres.CreateSourceAsync($"{Spans}; insert into spans values (1, 1, '5'), (2, 1, '2')");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Spans), ["public.spans"], new SourceRows(rows, TimeProvider.System));
        var spans = target.Route("spans");
        await target.Database.ExecuteAsync("insert into spans values (1, 0, '20')");
        var writer = await target.ClaimAsync();

        // The row was (10, 20) when the event was written, and is (1, 5) now; the second row is gone by then; the third is of the same batch.
        var counts = await writer.ApplyAsync(new BatchBuilder(Lane)
            .Insert(spans, ("id", "1"), ("low", "10"), ("high", BatchBuilder.Unavailable))
            .Insert(spans, ("id", "3"), ("low", "10"), ("high", BatchBuilder.Unavailable))
            .Insert(spans, ("id", "2"), ("low", "1"), ("high", BatchBuilder.Unavailable)).Build(), CancellationToken.None);

        Assert.Equal(["1|1|5", "2|1|2"], await target.Database.RowsAsync("select * from spans order by id"));
        Assert.Equal((3, 2), (writer.NextOffset, counts.Reselected));
    }

    [Fact]
    public async Task A_row_that_the_target_refuses_also_as_the_source_has_it_halts_by_name()
    {
        await using var source = await postgres.CreateSourceAsync("create table spans(id int primary key, low int, high text); insert into spans values (1, 7, '5')");
        await using var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        await using var target = await LaneTarget.CreateAsync(
            await postgres.CreateTargetAsync("create table spans(id int primary key, low int, high text, check (low < high::int))"), ["public.spans"], new SourceRows(rows, TimeProvider.System));
        var fault = await Assert.ThrowsAsync<FaultException>(async () => await (await target.ClaimAsync()).ApplyAsync(
            new BatchBuilder(Lane).Insert(target.Route("spans"), ("id", "1"), ("low", "7"), ("high", BatchBuilder.Unavailable)).Build(), CancellationToken.None));
        Assert.Equal(("check", """{"id":"1"}"""), (fault.Fault.Code, fault.Fault.Key));
    }

    [Fact]
    public async Task A_key_that_was_changed_and_used_again_since_ends_as_the_source_has_it()
    {
        await using var pair = await CreateAsync("insert into docs values (1, 'second', 'its own', null), (2, 'first', 'moved', null)");
        var docs = pair.Target.Route("docs");
        var writer = await pair.Target.ClaimAsync();

        // Row 1 is inserted, becomes row 2, and another row 1 comes: the source is read for the first as the second is there already.
        await writer.ApplyAsync(new BatchBuilder(Lane).Insert(docs, ("id", "1"), ("name", "first"), ("big", BatchBuilder.Unavailable), ("more", null)).Build(), CancellationToken.None);
        await writer.ApplyAsync(new BatchBuilder(Lane, 1)
            .Add(docs, ChangeOperation.Delete, KeyChangeHalf.OldKey, new SourcePosition(2000, 2000, 0), ("id", "1"))
            .Add(docs, ChangeOperation.Insert, KeyChangeHalf.NewKey, new SourcePosition(2000, 2000, 0), ("id", "2"), ("name", "first"), ("big", BatchBuilder.Unavailable), ("more", null))
            .Add(docs, ChangeOperation.Insert, KeyChangeHalf.None, new SourcePosition(3000, 3000, 0), ("id", "1"), ("name", "second"), ("big", BatchBuilder.Unavailable), ("more", null))
            .Build(), CancellationToken.None);

        Assert.Equal(["1|second|its own|∅", "2|first|moved|∅"], await pair.Target.Database.RowsAsync("select * from docs order by id"));
    }

    [Fact]
    public async Task An_incremental_snapshots_row_is_completed_and_left_out_where_the_source_has_it_no_more()
    {
        await using var pair = await CreateAsync("insert into docs values (1, 'newer', 'read', null)");
        var docs = pair.Target.Route("docs");
        var counts = await (await pair.Target.ClaimAsync()).ApplyAsync(new BatchBuilder(Lane)
            .Snapshot(docs, ("id", "1"), ("name", "a"), ("big", BatchBuilder.Unavailable), ("more", null))
            .Snapshot(docs, ("id", "2"), ("name", "b"), ("big", BatchBuilder.Unavailable), ("more", null)).Build(), CancellationToken.None);
        Assert.Equal(["1|a|read|∅"], await pair.Target.Database.RowsAsync("select * from docs"));
        Assert.Equal(1, counts.Reselected);
    }

    [Fact]
    public async Task Without_a_source_a_change_that_needs_one_halts_the_lane_behind_what_precedes_it()
    {
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Docs), ["public.docs"]);
        var docs = target.Route("docs");
        var writer = await target.ClaimAsync();
        var fault = await Assert.ThrowsAsync<FaultException>(() => writer.ApplyAsync(
            new BatchBuilder(Lane).Insert(docs, ("id", "7"), ("big", BatchBuilder.Unavailable)).Build(), CancellationToken.None));
        Assert.Equal((FaultKind.Poison, "unavailable-column", """{"id":"7"}""", 0L), (fault.Fault.Kind, fault.Fault.Code, fault.Fault.Key, fault.Fault.Offset));
    }

    [Fact]
    public async Task A_transaction_that_is_in_the_log_before_it_is_visible_is_waited_for()
    {
        await using var pair = await CreateAsync("");
        await using var holding = await pair.Source.DataSource.OpenConnectionAsync();
        await using var transaction = await holding.BeginTransactionAsync();
        await using var insert = new Npgsql.NpgsqlCommand("insert into docs values (1, 'a', 'not lost', null) returning (pg_current_xact_id()::text::numeric % 4294967296)::bigint", holding);
        var id = (uint)(long)(await insert.ExecuteScalarAsync())!;

        var docs = pair.Target.Route("docs");
        var writer = await pair.Target.ClaimAsync();
        var applying = writer.ApplyAsync(new BatchBuilder(Lane)
            .Add(docs, ChangeOperation.Insert, KeyChangeHalf.None, new SourcePosition(5, 5, id), ("id", "1"), ("name", "a"), ("big", BatchBuilder.Unavailable), ("more", null))
            .Build(), CancellationToken.None);
        Assert.NotSame(applying, await Task.WhenAny(applying, Task.Delay(TimeSpan.FromMilliseconds(200))));
        await transaction.CommitAsync();
        await applying;
        Assert.Equal(["1|a|not lost|∅"], await pair.Target.Database.RowsAsync("select * from docs"));
    }

    [Fact]
    public async Task Of_a_standby_nothing_is_believed_for_its_snapshots_do_not_name_who_writes()
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Settings = new Dictionary<string, string> { ["restore_command"] = "false" } }, token);
        var source = await server.CreateDatabaseAsync("standby", Docs, token);
        await using var reading = PostgresConnections.CreateSourceRead(source);
        var rows = new SourceRows(reading, TimeProvider.System);
        await using var target = await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Docs), ["public.docs"], rows);
        var docs = target.Route("docs");
        await target.Database.ExecuteAsync("insert into docs values (7, 'here', 'not there yet', null)");
        Assert.Null((await rows.ReadAsync(docs, [["7"]], [1], [], token))[0]);

        // As a standby it reads WAL that does not come.
        await server.StopAsync(token);
        await File.WriteAllTextAsync(Path.Combine(server.BaseDirectory, "data", "standby.signal"), "", token);
        await server.StartAsync(token);
        foreach (var read in new Func<Task>[]
        {
            () => rows.ReadAsync(docs, [["7"]], [1], [], token),
            () => rows.ReadKeysAsync(docs, [], token).GetAsyncEnumerator(token).MoveNextAsync().AsTask(),
            () => rows.ReadRunningAsync(token),
            () => rows.ReadWritersAsync(docs, token),
        })
        {
            var fault = await FaultAsync(read);
            Assert.Equal((FaultKind.Transient, "source-is-standby"), (fault.Kind, fault.Code));
            Assert.Contains("Target Session Attributes=primary", fault.Fix, StringComparison.Ordinal);
        }

        // A row the target lacks is not left out for a row that a standby does not have.
        var applied = await FaultAsync(async () => await (await target.ClaimAsync()).ApplyAsync(
            new BatchBuilder(Lane).Insert(docs, ("id", "8"), ("name", "a"), ("big", BatchBuilder.Unavailable)).Build(), CancellationToken.None));
        Assert.Equal("source-is-standby", applied.Code);
        Assert.Equal(0, (await target.ClaimAsync()).NextOffset);

        // Sessions of before the restart are gone, which is only said once.
        async Task<Fault> FaultAsync(Func<Task> act)
        {
            var fault = (await Assert.ThrowsAsync<FaultException>(act)).Fault;
            return fault.Code == "source-is-standby" ? fault : (await Assert.ThrowsAsync<FaultException>(act)).Fault;
        }
    }

    [Theory]
    [InlineData("100:100:", 99u, true)]
    [InlineData("100:100:", 100u, false)]
    [InlineData("90:100:95", 95u, false)]
    [InlineData("90:100:95", 96u, true)]
    [InlineData("4294967300:4294967301:", 4u, true)]
    [InlineData("4294967300:4294967301:", 4294967295u, true)]
    [InlineData("4294967290:4294967295:", 3u, false)]
    public void A_snapshot_is_compared_with_transaction_ids_that_wrap(string snapshot, uint transaction, bool sees) =>
        Assert.Equal(sees, SourceRows.Sees(snapshot, [transaction]));

    [Theory]
    [InlineData("100:100:", 100u, "")]
    [InlineData("100:100:", 103u, "100,101,102")]
    [InlineData("90:100:95", 101u, "95,100")]
    [InlineData("4294967290:4294967294:4294967292", 4u, "4294967292,4294967294,4294967295,0,1,2,3")]
    public void What_a_snapshot_does_not_see_goes_up_to_the_next_id(string snapshot, uint next, string begun) =>
        Assert.Equal(begun, string.Join(',', SourceRows.Begun(snapshot, next)));

    private async Task<Pair> CreateAsync(string sourceRows)
    {
        var source = await postgres.CreateSourceAsync($"{Docs}; {sourceRows}");
        var rows = PostgresConnections.CreateSourceRead(source.ConnectionString);
        return new Pair(source, rows, await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Docs), ["public.docs"], new SourceRows(rows, TimeProvider.System)));
    }

    private sealed record Pair(TestDatabase Source, Npgsql.NpgsqlDataSource Rows, LaneTarget Target) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Target.DisposeAsync();
            await Rows.DisposeAsync();
            await Source.DisposeAsync();
        }
    }
}
