using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Comparing;

/// <summary>Snapshots of both sides while they are written.</summary>
public sealed class SnapshotTests(PostgresFixture postgres)
{
    private const string Schema = "create table t(id bigint primary key, v text); insert into t select i, 'v' || i from generate_series(1, 100) i";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_snapshot_sees_nothing_of_later_commits_and_says_what_it_sees()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, Schema);
        var table = await scene.TableAsync();
        await using var running = await scene.Source.DataSource.OpenConnectionAsync(Token);
        await using var open = await running.BeginTransactionAsync(Token);
        var before = ulong.Parse(await ScalarAsync(running, "insert into t values (1001, 'running'); select pg_current_xact_id()::text"), CultureInfo.InvariantCulture);
        await using var snapshot = await scene.Sides.OpenSourceAsync(Token);
        await open.CommitAsync(Token);
        await using var later = await scene.Source.DataSource.OpenConnectionAsync(Token);
        var after = ulong.Parse(await ScalarAsync(later, "insert into t values (1002, 'later') returning pg_current_xact_id()::text"), CultureInfo.InvariantCulture);
        Assert.Equal(100, (await snapshot.DigestAsync(table, KeyRange.All, Token)).Rows);
        Assert.Equal((false, false), (snapshot.View.Sees(before & uint.MaxValue), snapshot.View.Sees(after & uint.MaxValue)));
        await using var next = await scene.Sides.OpenSourceAsync(Token);
        Assert.Equal(102, (await next.DigestAsync(table, KeyRange.All, Token)).Rows);
        Assert.Equal((true, true), (next.View.Sees(before & uint.MaxValue), next.View.Sees(after & uint.MaxValue)));
        Assert.False(snapshot.View.IsPast(snapshot.View));
    }

    [Fact]
    public async Task A_snapshot_outlives_the_longest_statement_of_the_other_side()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, Schema);
        await using var read = PostgresConnections.CreateVerify(scene.Target.ConnectionString);
        await using var session = await read.OpenConnectionAsync(Token);
        Assert.Equal("true", await ScalarAsync(session, "select (current_setting('idle_in_transaction_session_timeout')::interval >= current_setting('statement_timeout')::interval)::text"));
    }

    [Fact]
    public async Task Progress_fits_the_rows_while_they_are_applied()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, "create table t(id bigint primary key, v text)");
        await scene.Target.ExecuteAsync("insert into cdc_migrator.progress(migration, topic, partition, next_offset, cluster_id, partition_count) values ('m', 'a', 0, 0, 'here', 1), ('m', 'a', 1, 7, 'gone', 1), ('other', 'a', 0, 9, 'here', 1)");
        var table = await scene.TableAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var applying = Task.Run(async () =>
        {
            for (var i = 1; !stop.IsCancellationRequested; i++)
            {
                await scene.Target.ExecuteAsync($"begin; update cdc_migrator.progress set next_offset = {i} where migration = 'm' and partition = 0; insert into t values ({i}, ''); commit");
            }
        }, Token);
        await using var read = PostgresConnections.CreateVerify(scene.Target.ConnectionString);
        long last = 0;
        for (var seen = 0; seen < 30 || last < 30; seen++)
        {
            await using var snapshot = await PostgresSides.OpenTargetAsync(read, "m", "here", Token);
            Assert.Equal([new LaneId("a", 0)], snapshot.Progress.Keys);
            last = snapshot.Progress[new LaneId("a", 0)];
            Assert.Equal(last, (await snapshot.DigestAsync(table, KeyRange.All, Token)).Rows);
        }

        await stop.CancelAsync();
        await applying;
        await using var all = await scene.Sides.OpenTargetAsync(Token);
        Assert.Equal(7, all.Progress[new LaneId("a", 1)]);
    }

    [Theory]
    [InlineData("truncate t")]
    [InlineData("alter table t alter v type varchar(50) using v || 'x'")]
    [InlineData("drop table t; create table t(id bigint primary key, v text)")]
    public async Task A_table_that_was_emptied_behind_a_snapshot_is_not_taken_for_what_the_snapshot_shows(string rewrite)
    {
        await using var scene = await SidesScene.CreateAsync(postgres, Schema);
        var table = await scene.TableAsync();
        await using var source = await scene.Sides.OpenSourceAsync(Token);
        await using var target = await scene.Sides.OpenTargetAsync(Token);
        await scene.Source.ExecuteAsync(rewrite);
        await scene.Target.ExecuteAsync(rewrite);
        foreach (ISideSnapshot side in new ISideSnapshot[] { source, target })
        {
            var fault = await Assert.ThrowsAsync<FaultException>(() => side.DigestAsync(table, KeyRange.All, Token));
            Assert.Equal((FaultKind.Transient, "table-rewritten"), (fault.Fault.Kind, fault.Fault.Code));
        }
    }

    [Fact]
    public async Task Chunks_boundaries_and_keys_are_read_by_the_index()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, "create table t(a int, b text collate \"C\", v text, primary key (a, b)); insert into t select i, 'k', 'v' from generate_series(1, 5000) i");
        var sql = new RowSql(await scene.TableAsync(), ofSource: true);
        await using var database = PostgresConnections.CreateVerify(scene.Source.ConnectionString);
        await AssertIndexAsync(database, command => $"select count(*), sum({sql.Hash}) from {sql.From} where {sql.Where(new KeyRange(new RowKey("5", "k"), new RowKey("4000", "")), command.Parameters)}", "Index Cond: ((ROW(a, b) > ROW(5, 'k'::text)) AND (ROW(a, b) <= ROW(4000, ''::text)))");
        await AssertIndexAsync(database, command => $"select {sql.Sorted} from {sql.From} where {sql.Where(new KeyRange(new RowKey("5", "k"), null), command.Parameters)} order by {sql.Sorted} offset 99 limit 1", "Index Cond: (ROW(a, b) > ROW(5, 'k'::text))");
        await AssertIndexAsync(database, command => $"select k.n from {sql.FromKeys([new RowKey("5", "k"), new RowKey("7", "k")], command.Parameters)}", "Index Cond: ((a = ");
    }

    [Fact]
    public async Task Rows_with_dead_letters_are_parked_and_every_row_where_a_key_cannot_be_told()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, "create table t(b text, a int, v text, primary key (a, b))");
        await scene.Target.ExecuteAsync("""insert into cdc_migrator.dead_letter(migration, topic, partition, cluster_id, record_offset, table_name, row_key, code, message, bytes) values ('m', 'x', 0, '', 1, 'public.t', '{"a":"1","b":"x\"y"}', '', '', 0), ('m', 'x', 0, '', 2, 'public.t', '{"a":"1","b":"x\"y"}', '', '', 0), ('n', 'x', 0, '', 3, 'public.t', '{"a":"2","b":""}', '', '', 0)""");
        var table = await scene.TableAsync();
        await using (var target = await scene.Sides.OpenTargetAsync(Token))
        {
            Assert.Equal([new RowKey("1", "x\"y")], await target.ParkedAsync(table, Token));
            Assert.Null(await target.ParkedAsync(table with { Key = [] }, Token));
            Assert.Empty((await target.ParkedAsync(table with { Source = TableName.Parse("public.other") }, Token))!);
        }

        await scene.Target.ExecuteAsync("""insert into cdc_migrator.dead_letter(migration, topic, partition, cluster_id, record_offset, table_name, row_key, code, message, bytes) values ('m', 'x', 0, '', 4, 'public.t', '{"a":"3","b":null}', '', '', 0)""");
        await using var again = await scene.Sides.OpenTargetAsync(Token);
        Assert.Null(await again.ParkedAsync(table, Token));
    }

    [Fact]
    public async Task A_value_stays_out_of_the_fault_of_a_key_that_is_none()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, Schema);
        var table = await scene.TableAsync();
        await using var source = await scene.Sides.OpenSourceAsync(Token);
        var fault = await Assert.ThrowsAsync<FaultException>(() => source.HashesAsync(table, [new RowKey("secret")], Token));
        Assert.Equal((FaultKind.Configuration, "not-comparable"), (fault.Fault.Kind, fault.Fault.Code));
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    private static async Task AssertIndexAsync(NpgsqlDataSource database, Func<NpgsqlCommand, string> query, string expected)
    {
        await using var connection = await database.OpenConnectionAsync(Token);
        await using var command = new NpgsqlCommand { Connection = connection };
        command.CommandText = $"explain (costs off) {query(command)}";
        await using var reader = await command.ExecuteReaderAsync(Token);
        var plan = "";
        while (await reader.ReadAsync(Token))
        {
            plan += reader.GetString(0) + "\n";
        }

        Assert.Contains(expected, plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
    }

    private static async Task<string> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync(Token))!;
    }
}
