using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Publishing;
using CdcMigrator.Embedded.Replication;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Embedded;

public sealed class SnapshotDdlTests(PostgresFixture postgres)
{
    [Fact]
    public async Task DDL_of_the_application_goes_through_while_the_slot_is_being_made()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(id int primary key, v text)", "public.t");
        await scene.Source.ExecuteAsync("create table other(id int); insert into t values (1, 'x')");
        await using (var old = await scene.Source.DataSource.OpenConnectionAsync())
        {
            // An open transaction with an id: making the slot waits for its end.
            await using var transaction = await old.BeginTransactionAsync();
            await using var write = new NpgsqlCommand("insert into other values (1)", old);
            await write.ExecuteNonQueryAsync();
            await scene.StartAsync();
            await scene.UntilAsync(async () => await scene.Source.ScalarAsync<long>(
                "select count(*) from pg_stat_activity where backend_type = 'walsender' and datname = current_database() and wait_event_type = 'Lock'") == 1);
            await scene.Source.ExecuteAsync("set statement_timeout = '20s'; alter table t alter column id type bigint");
            await transaction.CommitAsync();
        }

        await scene.UntilStreamingAsync();
        Assert.Equal(["""{"id":"1","v":"x"}"""], scene.Lanes.RowsOf("p.public.t"));
    }

    [Theory]
    [InlineData("create table t(id int primary key, v text)")]
    [InlineData("create table t(id int primary key, v text) partition by range (id); create table t1 partition of t for values from (0) to (10)")]
    public async Task Table_rewritten_behind_the_snapshot_is_noticed(string sql)
    {
        await using var source = await postgres.CreateSourceAsync(sql + "; insert into t values (1, 'x')");
        await using var exporter = await source.DataSource.OpenConnectionAsync();
        await using var exporting = await exporter.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using var export = new NpgsqlCommand("select pg_export_snapshot()", exporter);
        var snapshot = (string)(await export.ExecuteScalarAsync())!;
        var oid = await source.ScalarAsync<uint>("select 't'::regclass::oid");
        IReadOnlyList<SourceTable> tables = [new(new TableName("public", "t"), oid, "p.t", ["id", "v"], ["id"], sql.Contains("partition", StringComparison.Ordinal))];

        await using (var untouched = await ImportAsync(source, snapshot))
        {
            await SnapshotTables.LockAsync(untouched, tables, CancellationToken.None);
        }

        await source.ExecuteAsync("alter table t alter column v type int using 7");
        await using var session = await ImportAsync(source, snapshot);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => SnapshotTables.LockAsync(session, tables, CancellationToken.None))).Fault;
        Assert.Equal(("table-rewritten", FaultKind.Transient), (fault.Code, fault.Kind));
    }

    private static async Task<NpgsqlConnection> ImportAsync(TestDatabase source, string snapshot)
    {
        var session = await source.DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"begin isolation level repeatable read, read only; set transaction snapshot '{snapshot}'", session);
        await command.ExecuteNonQueryAsync();
        return session;
    }
}
