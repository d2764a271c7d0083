using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Log;
using CdcMigrator.Postgres.Comparing;

namespace CdcMigrator.Service.SelfTest;

/// <summary>The log of tables that are in no log: nothing of them is ever on its way, so that whatever differs is wrong.</summary>
internal sealed class StillLog : IChangeReader
{
    /// <inheritdoc />
    public IReadOnlyDictionary<LaneId, long> Positions { get; } = new Dictionary<LaneId, long>();

    /// <summary>Before every transaction there is.</summary>
    public ISourceView Began { get; } = PostgresView.Parse("0:0::0");

    /// <inheritdoc />
    public Task PassAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
