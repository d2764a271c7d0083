using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Reporting;

/// <summary>What the API shows of comparisons; read from the target, whichever process makes them.</summary>
internal sealed class VerifyReports(MigrationDefinition definition, MigrationRuntime runtime)
{
    private readonly VerificationStore store = runtime.Verification.Store;
    private const int MostMismatches = 100;
    private const int MostRuns = 50;

    /// <summary>Asks for a comparison.</summary>
    /// <exception cref="FaultException">Configuration: a table that is not in the migration file. NotAllowed: this migration cannot be compared.</exception>
    public async Task<VerifyReport> RequestAsync(VerifyRequest request, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<TableMapping> tables = request.All ? [.. definition.Tables] : [.. request.Tables!.Distinct(StringComparer.Ordinal).Select(Named)];
        await runtime.Verification.RequireComparableAsync(cancellationToken);
        return await ReadAsync(await store.RequestAsync(tables, "api", cancellationToken), cancellationToken);
    }

    /// <summary>One comparison.</summary>
    /// <exception cref="FaultException">Configuration: there is none of that number.</exception>
    public async Task<VerifyReport> ReadAsync(long run, CancellationToken cancellationToken) =>
        await store.ReadRunAsync(run, cancellationToken) is { } found
            ? Of(found, await store.ReadTablesAsync(cancellationToken))
            : throw new FaultException(FaultKind.Configuration, "unknown-run", $"There is no comparison {run} of migration {definition.Name}", "'cdcm verify list' names those there are");

    /// <summary>The last comparison; null before the first.</summary>
    public async Task<VerifyReport?> LastAsync(CancellationToken cancellationToken) =>
        (await store.ReadRunsAsync(1, cancellationToken)) is [var last] ? Of(last, await store.ReadTablesAsync(cancellationToken)) : null;

    /// <summary>The last comparisons, without their rows.</summary>
    public async Task<VerifyListReport> ListAsync(CancellationToken cancellationToken)
    {
        var states = await store.ReadTablesAsync(cancellationToken);
        return new VerifyListReport([.. (await store.ReadRunsAsync(MostRuns, cancellationToken)).Select(run => Of(run, states)).Select(run => run with
        {
            Tables = [.. run.Tables.Select(table => table with { Mismatches = [] })],
        })]);
    }

    /// <summary>Ends the comparisons under way.</summary>
    public async Task<VerifyStopReport> StopAsync(CancellationToken cancellationToken) => new(await store.StopAsync(cancellationToken));

    /// <summary>What the checks beside the rows found last.</summary>
    public async Task<VerifyChecksReport> ChecksAsync(CancellationToken cancellationToken) => new(await runtime.Verification.ReadChecksAsync(cancellationToken));

    private TableMapping Named(string name) => definition.Tables.FirstOrDefault(table => table.Source.ToString() == name)
        ?? throw new FaultException(FaultKind.Configuration, "unknown-table", $"'{name}' is no source table of migration {definition.Name}",
            $"Its tables: {string.Join(", ", definition.Tables.Select(table => table.Source))}");

    private VerifyReport Of(VerificationRun run, IReadOnlyDictionary<TableName, (TableState State, string Shape)> states) => new(
        run.Run, run.State, run.IsRunning ? Verdict.Unverified : run.Verdict, run.RequestedAt, run.FinishedAt,
        [.. run.Tables.Select(table => Of(table, run, states.TryGetValue(table.Source, out var known) && known.State.Run == run.Run ? known.State : null))],
        run.IsRunning && runtime.Verification.Fault is { } fault ? FaultReport.Of(fault) : null);

    private static VerifyTable Of(TableResult result, VerificationRun run, TableState? state) => new()
    {
        Source = result.Source.ToString(),
        Target = result.Target.ToString(),
        Verdict = result.Verdict ?? (run.IsRunning ? null : Verdict.Unverified),
        Reason = result.Reason ?? (result.Verdict is null ? state?.Reason : null),
        RowsCompared = result.Verdict is null ? state?.RowsSource ?? 0 : result.RowsSource,
        RowsTarget = result.Verdict is null ? state?.RowsTarget ?? 0 : result.RowsTarget,
        RowsEstimated = result.Verdict is null ? state?.EstimatedRows : null,
        InFlight = result.Verdict is null ? state?.Pending.Count ?? 0 : result.InFlight,
        Wrong = result.Verdict is null ? state?.Wrong.Count ?? 0 : result.Wrong,
        Evidence = result.Evidence,
        Mismatches = state is null ? [] : [.. state.Wrong.Values.Take(MostMismatches).Select(row => new VerifyMismatch(KeyOf(state, row.Key), row.Kind.ToString().ToLowerInvariant(), row.Columns, row.Unlogged))],
    };

    private static Dictionary<string, string> KeyOf(TableState state, RowKey key) => state.KeyColumns.Count == key.Values.Count
        ? state.KeyColumns.Zip(key.Values).ToDictionary(pair => pair.First, pair => pair.Second)
        : new Dictionary<string, string> { ["row"] = key.ToString() };
}
