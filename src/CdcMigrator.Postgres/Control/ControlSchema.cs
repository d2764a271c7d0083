using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Control;

/// <summary>
/// Creates and updates schema <c>cdc_migrator</c> from the numbered SQL files embedded beside this class. Idempotent; processes
/// that start together wait for each other. Steps are never edited once released, only added.
/// </summary>
public static class ControlSchema
{
    /// <summary>Name of the schema, the same on both sides.</summary>
    public const string Name = "cdc_migrator";

    private const string LastSourceStep = "0002_signal";
    private const string ResourcePrefix = "CdcMigrator.Postgres.Control.Migrations.";

    /// <summary>Brings the whole schema up to date: the target's side, and the source's from the moment it may become a target.</summary>
    /// <exception cref="FaultException">Unreachable; Configuration: the role may not create a schema.</exception>
    public static Task MigrateAsync(NpgsqlDataSource database, CancellationToken cancellationToken) => RunAsync(database, Steps(), cancellationToken);

    /// <summary>Creates only what a source needs to be read from: the captured tables <c>cdc_migrator.fence</c> and <c>signal</c>.</summary>
    /// <exception cref="FaultException">Unreachable; Configuration: the role may not create a schema.</exception>
    public static Task PrepareSourceAsync(NpgsqlDataSource database, CancellationToken cancellationToken) =>
        RunAsync(database, [.. Steps().Where(step => string.CompareOrdinal(step.Name, LastSourceStep) <= 0)], cancellationToken);

    private static async Task RunAsync(NpgsqlDataSource database, IReadOnlyList<(string Name, string Sql)> steps, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            if (await AppliedAsync(connection, cancellationToken) is { } done && steps.All(step => done.Contains(step.Name)))
            {
                return;
            }

            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, """
                select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('cdc_migrator', 0));
                create schema if not exists cdc_migrator;
                create table if not exists cdc_migrator.schema_step (name text primary key, applied_at timestamptz not null default clock_timestamp());
                """, cancellationToken);
            var applied = await AppliedAsync(connection, cancellationToken) ?? [];
            foreach (var (name, sql) in steps.Where(step => !applied.Contains(step.Name)))
            {
                await ExecuteAsync(connection, sql, cancellationToken);
                await using var note = new NpgsqlCommand("insert into cdc_migrator.schema_step (name) values ($1)", connection)
                {
                    Parameters = { new NpgsqlParameter { Value = name } },
                };
                await note.ExecuteNonQueryAsync(cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private static async Task<HashSet<string>?> AppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var exists = new NpgsqlCommand("select to_regclass('cdc_migrator.schema_step') is not null", connection))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return null;
            }
        }

        await using var command = new NpgsqlCommand("select name from cdc_migrator.schema_step", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            names.Add(reader.GetString(0));
        }

        return names;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static IReadOnlyList<(string Name, string Sql)> Steps()
    {
        var assembly = typeof(ControlSchema).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return (name[ResourcePrefix.Length..^".sql".Length], reader.ReadToEnd());
            })];
    }
}
