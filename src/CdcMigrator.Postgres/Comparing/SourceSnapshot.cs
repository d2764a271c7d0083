using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>A snapshot of a PostgreSQL source's primary.</summary>
internal sealed class SourceSnapshot : PostgresSnapshot, ISourceSnapshot
{
    private SourceSnapshot(NpgsqlConnection connection, NpgsqlTransaction transaction, HashSql hashes, ISourceView view)
        : base(connection, transaction, ofSource: true, hashes) => View = view;

    /// <inheritdoc />
    public ISourceView View { get; }

    /// <summary>Takes a snapshot.</summary>
    /// <exception cref="FaultException">NotAllowed <c>source-is-standby</c>: its snapshots name no transactions. Unreachable.</exception>
    public static Task<SourceSnapshot> OpenAsync(NpgsqlDataSource source, HashSql hashes, CancellationToken cancellationToken) => OpenAsync(source, async (connection, transaction) =>
    {
        await using var command = new NpgsqlCommand($"select pg_catalog.pg_is_in_recovery(), {PostgresView.Columns}", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetBoolean(0)
            ? throw new FaultException(FaultKind.NotAllowed, "source-is-standby",
                "The source is a standby: its snapshots do not say which transactions they see, so that a difference could not be told from a change on its way", "Let source.connection name the primary")
            : new SourceSnapshot(connection, transaction, hashes, PostgresView.Of(reader.GetString(1), reader.GetInt32(2)));
    }, cancellationToken);

    /// <inheritdoc />
    public Task<RowKey?> BoundaryAsync(ComparedTable table, RowKey? after, long rows, CancellationToken cancellationToken) => ReadAsync(table, async sql =>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        await using var command = new NpgsqlCommand { Connection = Connection };
        var where = sql.Where(new KeyRange(after, null), command.Parameters);
        command.Parameters.Add(new NpgsqlParameter { Value = rows - 1 });
        command.CommandText = $"select {string.Join(", ", sql.Key)} from {sql.From} where {where} order by {sql.Sorted} offset ${command.Parameters.Count} limit 1";
        command.AllResultTypesAreUnknown = true;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new RowKey([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)]) : null;
    }, cancellationToken);
}
