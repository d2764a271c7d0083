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
    private readonly List<GroupSql> tentative = [];

    public NpgsqlConnection Connection { get; } = connection;

    /// <summary>The staging table of these statements. Better created outside of a transaction; within one, <see cref="Settle"/> must follow its end.</summary>
    public async Task<string> EnsureStageAsync(GroupSql sql, bool withinTransaction, CancellationToken cancellationToken)
    {
        if (stages.TryGetValue(sql, out var name))
        {
            return name;
        }

        name = string.Create(CultureInfo.InvariantCulture, $"cdcm_stage_{Interlocked.Increment(ref stageNumber)}");
        await using var command = new NpgsqlCommand(GroupSql.Named(sql.CreateStage, name), Connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
        stages[sql] = name;
        if (withinTransaction)
        {
            tentative.Add(sql);
        }

        return name;
    }

    /// <summary>The transaction ended: a rollback took the staging tables created in it away.</summary>
    public void Settle(bool committed)
    {
        tentative.ForEach(sql => _ = !committed && stages.Remove(sql));
        tentative.Clear();
    }

    public string StageOf(GroupSql sql) => stages[sql];

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
