using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Control;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Control;

public sealed class ControlSchemaTests(PostgresFixture postgres)
{
    private const string Columns = """
        select table_name || '.' || column_name || ' ' || udt_name || case is_nullable when 'NO' then ' not null' else '' end
        from information_schema.columns where table_schema = 'cdc_migrator' and table_name = any('{fence,fence_state,progress,journal,migration,dead_letter,verification_result,verification_row,verification_run,verification_table,waiver}')
        order by table_name, ordinal_position
        """;

    [Fact]
    public async Task The_tables_are_those_other_versions_and_scripts_rely_on()
    {
        await using var database = await postgres.CreateTargetAsync();
        await ControlSchema.MigrateAsync(database.DataSource, CancellationToken.None);
        Assert.Equal(
            """
            dead_letter.id int8 not null
            dead_letter.migration text not null
            dead_letter.topic text not null
            dead_letter.partition int4 not null
            dead_letter.record_offset int8 not null
            dead_letter.table_name text not null
            dead_letter.row_key text not null
            dead_letter.code text not null
            dead_letter.message text not null
            dead_letter.record_key bytea
            dead_letter.record_value bytea
            dead_letter.headers jsonb not null
            dead_letter.parked_at timestamptz not null
            dead_letter.cluster_id text not null
            dead_letter.record_ms int8 not null
            dead_letter.bytes int8 not null
            fence.id text not null
            fence.v text
            fence_state.migration text not null
            fence_state.state text not null
            fence_state.epoch int8 not null
            fence_state.token text not null
            fence_state.lease_until timestamptz not null
            fence_state.changed_at timestamptz not null
            fence_state.routed text not null
            fence_state.completed_at timestamptz
            fence_state.completed_by text
            fence_state.held text not null
            fence_state.held_epoch int8 not null
            fence_state.held_until timestamptz not null
            fence_state.releasing bool not null
            fence_state.no_return bool not null
            journal.id int8 not null
            journal.migration text not null
            journal.at timestamptz not null
            journal.actor text not null
            journal.event text not null
            journal.evidence jsonb not null
            migration.name text not null
            migration.phase text not null
            migration.leader text
            migration.leader_until timestamptz
            migration.source_system text
            migration.source_timeline int4
            migration.created_at timestamptz not null
            migration.updated_at timestamptz not null
            migration.paused_at timestamptz
            migration.paused_by text
            migration.pause_reason text
            progress.migration text not null
            progress.topic text not null
            progress.partition int4 not null
            progress.next_offset int8 not null
            progress.commit_lsn pg_lsn not null
            progress.lsn pg_lsn not null
            progress.xid int8 not null
            progress.epoch int8 not null
            progress.backend_pid int4
            progress.backend_start timestamptz
            progress.cluster_id text not null
            progress.topic_id text not null
            progress.partition_count int4 not null
            progress.frozen bool not null
            progress.updated_at timestamptz not null
            verification_result.migration text not null
            verification_result.run int8 not null
            verification_result.source_table text not null
            verification_result.target_table text not null
            verification_result.verdict text
            verification_result.reason text
            verification_result.rows_source int8 not null
            verification_result.rows_target int8 not null
            verification_result.wrong int8 not null
            verification_result.in_flight int8 not null
            verification_result.evidence text
            verification_result.finished_at timestamptz
            verification_row.migration text not null
            verification_row.source_table text not null
            verification_row.key _text not null
            verification_row.kind text
            verification_row.columns _text not null
            verification_row.since timestamptz not null
            verification_row.unlogged bool not null
            verification_run.migration text not null
            verification_run.run int8 not null
            verification_run.requested_by text not null
            verification_run.requested_at timestamptz not null
            verification_run.finished_at timestamptz
            verification_run.state text not null
            verification_table.migration text not null
            verification_table.source_table text not null
            verification_table.run int8 not null
            verification_table.phase text not null
            verification_table.cursor _text
            verification_table.rows_source int8 not null
            verification_table.rows_target int8 not null
            verification_table.estimated_rows int8 not null
            verification_table.shape text not null
            verification_table.key_columns _text not null
            verification_table.covered bool not null
            verification_table.covered_at timestamptz
            verification_table.equal_at timestamptz
            verification_table.wrong_truncated bool not null
            verification_table.dirty_keys int4 not null
            verification_table.verified_offsets jsonb not null
            verification_table.verdict text not null
            verification_table.reason text
            verification_table.evidence text
            verification_table.updated_at timestamptz not null
            verification_table.pass_began_at timestamptz
            waiver.migration text not null
            waiver.criterion text not null
            waiver.finding text not null
            waiver.measured text not null
            waiver.reason text not null
            waiver.waived_by text not null
            waiver.at timestamptz not null
            waiver.until timestamptz
            """,
            string.Join('\n', await database.RowsAsync(Columns)));
    }

    [Fact]
    public async Task Processes_that_start_together_and_later_ones_do_it_once()
    {
        await using var database = await postgres.CreateTargetAsync();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => ControlSchema.MigrateAsync(database.DataSource, CancellationToken.None)));
        await database.ExecuteAsync("insert into cdc_migrator.fence values ('heartbeat', 'kept')");
        await ControlSchema.MigrateAsync(database.DataSource, CancellationToken.None);
        Assert.Equal(["kept"], await database.RowsAsync("select v from cdc_migrator.fence"));
        Assert.Equal(["1"], await database.RowsAsync("select count(*) from cdc_migrator.schema_step where name = '0003_control'"));
    }

    [Fact]
    public async Task A_source_gets_what_it_is_read_by_and_the_rest_when_it_becomes_a_target()
    {
        await using var database = await postgres.CreateSourceAsync();
        await ControlSchema.PrepareSourceAsync(database.DataSource, CancellationToken.None);
        Assert.Equal(["fence", "schema_step", "signal"], await database.RowsAsync("select relname from pg_class where relnamespace = 'cdc_migrator'::regnamespace and relkind = 'r' order by 1"));
        await ControlSchema.MigrateAsync(database.DataSource, CancellationToken.None);
        Assert.Equal(["0"], await database.RowsAsync("select count(*) from cdc_migrator.progress"));
    }

    [Fact]
    public async Task A_role_without_the_right_to_create_a_schema_is_told_so()
    {
        await using var database = await postgres.CreateTargetAsync("create role plain_control login");
        await using var poor = Npgsql.NpgsqlDataSource.Create(new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "plain_control" });
        var fault = await Assert.ThrowsAsync<FaultException>(() => ControlSchema.MigrateAsync(poor, CancellationToken.None));
        Assert.Equal((FaultKind.Configuration, "permission"), (fault.Fault.Kind, fault.Fault.Code));
    }
}
