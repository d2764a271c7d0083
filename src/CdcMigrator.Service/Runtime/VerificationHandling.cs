using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Benchmarking;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Reconciliation.Checks;
using CdcMigrator.Service.Verifying;
using Npgsql;

namespace CdcMigrator.Service.Runtime;

/// <summary>The comparing of both sides in a running migration: what is known, from the target, and the reconciler of this process.</summary>
internal sealed class VerificationHandling(MigrationDefinition definition, NpgsqlDataSource control) : IAsyncDisposable
{
    private readonly BenchmarkStore benchmarks = new(control, definition.Name);
    private readonly IReadOnlyDictionary<CheckKind, IReadOnlyDictionary<string, string>> questions = CheckQuestions.Of(definition);
    private volatile Reconciler? reconciler;

    /// <summary>Sessions of the target that hold snapshots to compare.</summary>
    public NpgsqlDataSource Target { get; } = PostgresConnections.CreateVerify(definition.Target.Connection);

    /// <summary>What was compared, by every process.</summary>
    public VerificationStore Store { get; } = new(control, definition.Name);

    /// <summary>What the checks beside the rows found, of every process.</summary>
    public CheckStore Checks { get; } = new(control, definition.Name);

    /// <summary>Criteria of the gate that a person waived.</summary>
    public WaiverStore Waivers { get; } = new(control, definition.Name);

    /// <summary>What keeps this process from comparing; null where it compares, or another process does.</summary>
    public Fault? Fault => reconciler?.Fault;

    /// <summary>What the checks found last of what the migration file asks now.</summary>
    /// <exception cref="FaultException">The target does not answer.</exception>
    public async Task<IReadOnlyList<CheckReport>> ReadChecksAsync(CancellationToken cancellationToken) =>
        [.. (await Checks.ReadAsync(cancellationToken)).Select(report => report.Against(questions[report.Kind]))];

    /// <summary>What is known of the tables of the migration file, as far as it was compared as this file says.</summary>
    /// <exception cref="FaultException">The target does not answer.</exception>
    public async Task<IReadOnlyDictionary<TableName, TableState>> ReadTablesAsync(CancellationToken cancellationToken)
    {
        var kept = await Store.ReadTablesAsync(cancellationToken);
        return definition.Tables.Where(mapping => kept.ContainsKey(mapping.Source))
            .ToDictionary(mapping => mapping.Source, mapping => TableShape.Own(kept[mapping.Source].State, kept[mapping.Source].Shape, mapping));
    }

    /// <summary>The migration has started.</summary>
    public void Begin(Reconciler started) => reconciler = started;

    /// <summary>Compares until cancelled.</summary>
    public Task RunAsync(CancellationToken stop) => reconciler?.RunAsync(stop) ?? Task.CompletedTask;

    /// <summary>What is compared with.</summary>
    /// <exception cref="FaultException">NotAllowed: not started yet.</exception>
    public ReconcilerParts Require() => reconciler?.Parts
        ?? throw new FaultException(FaultKind.NotAllowed, "not-started", "The migration has not started", "See 'cdcm status' for what the start waits for");

    /// <summary>Refuses where nothing can be compared.</summary>
    /// <exception cref="FaultException">
    /// NotAllowed: not started yet; a source whose snapshots, or a connector whose place in the log, cannot be told. Unreachable: one of them does not answer.
    /// </exception>
    public async Task RequireComparableAsync(CancellationToken cancellationToken)
    {
        var parts = Require();
        await parts.Source.IsConfirmedAsync(0, cancellationToken);
        await using var snapshot = await parts.Sides.OpenSourceAsync(cancellationToken);
    }

    /// <summary>A status with what the target knows of comparisons; unchanged where it does not answer.</summary>
    public async Task<RuntimeStatus> AddToAsync(RuntimeStatus now, CancellationToken cancellationToken)
    {
        try
        {
            return now with
            {
                Verified = await ReadTablesAsync(cancellationToken),
                Reconciler = await Store.ReadBeatAsync(cancellationToken),
                Checks = await ReadChecksAsync(cancellationToken),
                Benchmarks = await benchmarks.ReadAsync(cancellationToken),
                Waivers = await Waivers.ReadAsync(cancellationToken),
            };
        }
        catch (FaultException)
        {
            return now;
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => Target.DisposeAsync();
}
