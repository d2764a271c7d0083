using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Diagnosing;

/// <summary>What is known of a migration, from whoever could be asked.</summary>
/// <param name="Migration">Its name.</param>
/// <param name="Source">The source; null where it is no PostgreSQL.</param>
/// <param name="Target">The target.</param>
internal sealed record DiagnosisFacts(string Migration, SideFacts? Source, SideFacts Target)
{
    /// <summary>The connectors of both directions; empty without Connect.</summary>
    public IReadOnlyList<ConnectorFacts> Connectors { get; init; } = [];

    /// <summary>What a service says of the way forward; null where none answers.</summary>
    public StatusReport? Forward { get; init; }

    /// <summary>And of the way back.</summary>
    public StatusReport? Back { get; init; }

    /// <summary>Why no service could be asked.</summary>
    public Fault? NoService { get; init; }

    /// <summary>Whether the file has hooks that tell applications where to write.</summary>
    public bool Routes { get; init; }
}
