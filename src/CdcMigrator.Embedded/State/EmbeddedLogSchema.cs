using Npgsql;

namespace CdcMigrator.Embedded.State;

/// <summary>The table of the state rows. Made where it is missing, so that a log can start before anything else has touched the target.</summary>
internal static class EmbeddedLogSchema
{
    private const string Sql = """
        create schema if not exists cdc_migrator;
        create table if not exists cdc_migrator.embedded_log(
            migration         text primary key,
            incarnation       text not null,
            phase             text not null check (phase in ('snapshot', 'streaming', 'passive')),
            slot              text not null,
            system_identifier text not null,
            timeline          bigint not null,
            tables            text[] not null,
            confirmed_lsn     pg_lsn,
            active_from       pg_lsn not null default '0/0',
            updated_at        timestamptz not null default now());
        """;

    /// <summary>Makes schema and table if they are missing.</summary>
    public static async Task EnsureAsync(NpgsqlConnection target, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("select to_regclass('cdc_migrator.embedded_log') is not null", target);
        if (await exists.ExecuteScalarAsync(cancellationToken) is true)
        {
            return;
        }

        // IF NOT EXISTS does not serialise: two sessions that both see nothing collide on the catalog's unique index.
        await using var transaction = await target.BeginTransactionAsync(cancellationToken);
        await using var create = new NpgsqlCommand($"select pg_advisory_xact_lock(hashtextextended('cdc_migrator schema', 0)); {Sql}", target, transaction);
        await create.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
