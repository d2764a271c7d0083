using System.Globalization;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>
/// A connection to the target with the staging tables it has. Kept open between batches; after any doubt about its state it is thrown away.
/// One user at a time.
/// </summary>
internal sealed class ApplySession(NpgsqlConnection connection) : IAsyncDisposable
{
    private static int stageNumber;
    private readonly Dictionary<GroupSql, string> stages = new(ReferenceEqualityComparer.Instance);

    public NpgsqlConnection Connection { get; } = connection;

    /// <summary>The staging table of these statements; created outside transactions, so that a rollback does not take it away.</summary>
    public async Task<string> EnsureStageAsync(GroupSql sql, CancellationToken cancellationToken)
    {
        if (stages.TryGetValue(sql, out var name))
        {
            return name;
        }

        name = string.Create(CultureInfo.InvariantCulture, $"cdcm_stage_{Interlocked.Increment(ref stageNumber)}");
        await using var command = new NpgsqlCommand(GroupSql.Named(sql.CreateStage, name), Connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
        stages[sql] = name;
        return name;
    }

    public string StageOf(GroupSql sql) => stages[sql];

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
