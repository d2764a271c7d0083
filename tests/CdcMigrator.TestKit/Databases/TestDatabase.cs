using Npgsql;

namespace CdcMigrator.TestKit.Databases;

/// <summary>A database of one test.</summary>
/// <param name="ConnectionString">How to reach it, as superuser.</param>
/// <param name="DataSource">A pool on it; disposed with this object.</param>
public sealed record TestDatabase(string ConnectionString, NpgsqlDataSource DataSource) : IAsyncDisposable
{
    /// <summary>Runs SQL without a result.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>First column of the first row; default where there is none or it is NULL.</summary>
    public async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        var value = await command.ExecuteScalarAsync();
        return value is null or DBNull ? default : (T)value;
    }

    /// <summary>Every row of a query, each column as text joined by <c>|</c>, NULL as <c>∅</c>. Deterministic only with ORDER BY.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        command.AllResultTypesAreUnknown = true;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "∅" : reader.GetString(i))));
        }

        return rows;
    }

    /// <summary>Gives up its replication slots too: a server has thirty, for all tests together.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await ExecuteAsync("select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active");
            await ExecuteAsync("select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database() and not active");
        }
        catch (Exception exception) when (exception is NpgsqlException or ObjectDisposedException or InvalidOperationException or TimeoutException)
        {
            // The test stopped the server, or the database.
        }

        await DataSource.DisposeAsync();
    }
}
