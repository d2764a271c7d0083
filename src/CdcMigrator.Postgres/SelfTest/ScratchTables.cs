using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.SelfTest;

/// <summary>
/// Tables alike on both sides, to be made wrong in the target: one for each <see cref="ScratchWay"/>, in the control schema, where every role of a migration may
/// create them. They are unlogged: no replication slot decodes them, whatever is published. Disposing drops them; those a killed process left are dropped when they
/// are next made. A lock on both sides keeps a second process out.
/// </summary>
public sealed class ScratchTables : IAsyncDisposable
{
    private const string Prefix = "self_test_";
    private static readonly ScratchWay[] Ways = Enum.GetValues<ScratchWay>();
    private readonly NpgsqlConnection source;
    private readonly NpgsqlConnection target;

    private ScratchTables(NpgsqlConnection source, NpgsqlConnection target)
    {
        this.source = source;
        this.target = target;
    }

    private static string Pristine => Sql("pristine");

    /// <summary>A scratch table as a pair to compare.</summary>
    public static TableMapping Mapping(ScratchWay way) => new() { Source = Name(way, "source"), Target = Name(way, "target"), Keyless = way == ScratchWay.Keyless };

    /// <summary>Makes the tables and copies the source's rows to the target, with COPY. Creates the control schemas where they are not there yet.</summary>
    /// <param name="source">Control sessions of the source.</param>
    /// <param name="target">Control sessions of the target.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    /// <exception cref="FaultException">NotAllowed <c>self-test-running</c>: another process has them. Unreachable; Configuration: a role may not create tables in the control schema.</exception>
    public static async Task<ScratchTables> CreateAsync(NpgsqlDataSource source, NpgsqlDataSource target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        await ControlSchema.PrepareSourceAsync(source, cancellationToken);
        await ControlSchema.MigrateAsync(target, cancellationToken);
        try
        {
            var here = await source.OpenConnectionAsync(cancellationToken);
            var there = await OpenBesideAsync(here, target, cancellationToken);
            var tables = new ScratchTables(here, there);
            try
            {
                await LockAsync(here, "source", cancellationToken);
                await LockAsync(there, "target", cancellationToken);
                await tables.FillAsync(cancellationToken);
                return tables;
            }
            catch
            {
                await tables.DisposeAsync();
                throw;
            }
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>Makes rows of the target wrong.</summary>
    public Task DamageAsync(ScratchWay way, Seed seed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seed);
        return ExecuteAsync(target, seed.Sql.Replace("{t}", Name(way, "target").Sql, StringComparison.Ordinal), cancellationToken);
    }

    /// <summary>Puts the rows of a seed back as they were.</summary>
    public Task MendAsync(ScratchWay way, Seed seed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seed);
        var (table, rows) = (Name(way, "target").Sql, ScratchSql.ListOf(seed.Rows.Select(row => row.Number)));
        return ExecuteAsync(target, $"delete from {table} where n = any({rows}); insert into {table} select * from {Pristine} where n = any({rows})", cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await EndAsync(target, "target");
        await EndAsync(source, "source");
    }

    private static async Task<NpgsqlConnection> OpenBesideAsync(NpgsqlConnection first, NpgsqlDataSource second, CancellationToken cancellationToken)
    {
        try
        {
            return await second.OpenConnectionAsync(cancellationToken);
        }
        catch
        {
            await first.DisposeAsync();
            throw;
        }
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        var first = Name(Ways[0], "source").Sql;
        await ExecuteAsync(source, Drop("source") + string.Concat(Ways.Select(way => Create(way, "source"))), cancellationToken);
        await ExecuteAsync(source, ScratchSql.Fill(first), cancellationToken);
        await ExecuteAsync(source, string.Join("; ", Ways.Skip(1).Select(way => $"insert into {Name(way, "source").Sql} select * from {first}")), cancellationToken);
        await ExecuteAsync(target, $"{Drop("target")} create unlogged table {Pristine} ({ScratchSql.Columns}, primary key (n)); {string.Concat(Ways.Select(way => Create(way, "target")))}", cancellationToken);
        await CopyAsync(first, cancellationToken);
        await ExecuteAsync(target, string.Join("; ", Ways.Select(way => $"insert into {Name(way, "target").Sql} select * from {Pristine}")), cancellationToken);
    }

    /// <summary>Values travel as text, as those of a migration do.</summary>
    private async Task CopyAsync(string from, CancellationToken cancellationToken)
    {
        using var reader = await source.BeginTextExportAsync($"copy {from} to stdout", cancellationToken);
        await using var writer = await target.BeginTextImportAsync($"copy {Pristine} from stdin", cancellationToken);
        var buffer = new char[32 * 1024];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            await writer.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    private static async Task LockAsync(NpgsqlConnection connection, string side, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select pg_catalog.pg_try_advisory_lock({LockKey(side)})", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not true)
        {
            throw new FaultException(FaultKind.NotAllowed, "self-test-running", $"Another self-test uses the scratch tables of the {side} now", "Wait for it to end");
        }
    }

    /// <summary>Drops the tables if they are this process's, and gives the session back without the lock.</summary>
    private static async Task EndAsync(NpgsqlConnection connection, string side)
    {
        try
        {
            await using var held = new NpgsqlCommand("select exists (select from pg_catalog.pg_locks where locktype = 'advisory' and pid = pg_catalog.pg_backend_pid())", connection);
            if (await held.ExecuteScalarAsync(CancellationToken.None) is true)
            {
                await ExecuteAsync(connection, $"{Drop(side)} select pg_catalog.pg_advisory_unlock({LockKey(side)})", CancellationToken.None);
            }
        }
        catch (Exception exception) when (exception is FaultException or InvalidOperationException || PostgresFaults.IsOfServer(exception))
        {
            // The session is gone, and its lock with it. The next self-test drops what is left.
        }

        await connection.DisposeAsync();
    }

    private static string LockKey(string side) => $"pg_catalog.hashtextextended('cdcm self-test {side}', 0)";

    private static string Create(ScratchWay way, string side)
    {
        var key = way switch
        {
            ScratchWay.Ranges => ", primary key (n)",
            ScratchWay.Buckets => ", primary key (n, place)",
            _ => "",
        };
        return $"create unlogged table {Name(way, side).Sql} ({ScratchSql.Columns}{key}); ";
    }

    private static string Drop(string side)
    {
        var tables = Ways.Select(way => Name(way, side).Sql);
        return $"drop table if exists {string.Join(", ", side == "target" ? tables.Append(Pristine) : tables)}; ";
    }

    private static TableName Name(ScratchWay way, string side) => new(ControlSchema.Name, $"{Prefix}{way.ToString().ToLowerInvariant()}_{side}");

    private static string Sql(string name) => new TableName(ControlSchema.Name, Prefix + name).Sql;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }
}
