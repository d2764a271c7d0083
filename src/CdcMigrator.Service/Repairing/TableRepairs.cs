using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Repair;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.Service.Repairing;

/// <summary>Repairs rows that comparisons found wrong, as operators ask for it. Any process can, whoever owns the lanes or compares. Thread-safe.</summary>
internal sealed class TableRepairs(MigrationDefinition definition, VerificationHandling verification, RouteKeeper routes, RowRepair repair, RepairMetrics metrics, TimeProvider time)
{
    private const int RowsAtOnce = 200;

    /// <summary>A request answers after that and says where to go on, so that none times out in the middle.</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    /// <summary>Repairs rows until all are tried or time is up.</summary>
    /// <exception cref="FaultException">
    /// Configuration: a table that is not in the file, or a row that is not known to be wrong. NotAllowed: not started, frozen, being copied, a table without a key.
    /// Unreachable: a side does not answer; what was repaired before stays repaired.
    /// </exception>
    public async Task<RepairReport> RepairAsync(RepairRequest request, CancellationToken cancellationToken)
    {
        var mapping = Named(request.Table);
        try
        {
            var report = await RepairAsync(request, mapping, cancellationToken);
            CountRun(request, mapping, report.Remaining == 0 ? "done" : "remaining");
            return report;
        }
        catch (Exception exception) when (exception is not OperationCanceledException && exception is not FaultException { Fault.Kind: FaultKind.Configuration })
        {
            CountRun(request, mapping, "failed");
            throw;
        }
    }

    private void CountRun(RepairRequest request, TableMapping mapping, string outcome)
    {
        if (!request.DryRun)
        {
            metrics.CountRun(mapping.Source.ToString(), outcome);
        }
    }

    private async Task<RepairReport> RepairAsync(RepairRequest request, TableMapping mapping, CancellationToken cancellationToken)
    {
        var parts = verification.Require();
        await routes.LoadAsync(cancellationToken);
        if (mapping.Keyless)
        {
            throw new FaultException(FaultKind.NotAllowed, "keyless", $"Table {mapping.Source} has no key, so that no row of it can be told from others like it",
                "Move the table anew, or mend both sides by SQL behind a drained log");
        }

        if ((await parts.Copying(cancellationToken)).Contains(mapping.Source))
        {
            throw new FaultException(FaultKind.NotAllowed, "copy-unfinished", $"Table {mapping.Source} is being copied again, which writes its rows anyway",
                $"'cdcm tables show {mapping.Source}' shows how far it is");
        }

        var state = (await verification.Store.ReadTablesAsync(cancellationToken)).TryGetValue(mapping.Source, out var known) ? known.State : new TableState { Table = mapping.Source };
        var wrong = new WrongRows(state);
        List<RowKey> chosen = request.AllWrong ? [.. wrong.After(request.After)] : [.. request.Keys!.SelectMany(key => Named(wrong, mapping, key)).Distinct()];
        var order = await OrderAsync(mapping, state, request, cancellationToken);
        var begun = time.GetTimestamp();
        var done = new Dictionary<RowKey, RepairOutcome>();
        IReadOnlyList<string>? next = null;
        foreach (var part in chosen.Chunk(RowsAtOnce))
        {
            if (request.AllWrong && done.Count > 0 && time.GetElapsedTime(begun) > AnswerTime)
            {
                break;
            }

            List<RowKey> left = [.. part.Where(key => !done.TryGetValue(key, out var before) || before.Fault is not null)];
            var outcomes = left.Count == 0 ? [] : await repair.RepairAsync(order, left, cancellationToken);
            foreach (var outcome in outcomes)
            {
                done[outcome.Key] = outcome;
            }

            if (!request.DryRun)
            {
                metrics.Count(mapping.Source.ToString(), outcomes);
            }

            next = part[^1].Equals(chosen[^1]) ? null : part[^1].Values;
        }

        return new RepairReport(
            mapping.Source.ToString(), request.DryRun, done.Values.Count(row => row.Fault is null), done.Values.Count(row => row.Fault is not null), state.WrongTruncated,
            [.. done.Values.Select(row => new RepairedRow(
                wrong.Describe(row.Key), state.Wrong.GetValueOrDefault(row.Key)?.Kind.ToString().ToLowerInvariant(), row.Action.ToString().ToLowerInvariant(), row.Fault is { } fault ? FaultReport.Of(fault) : null))],
            next);
    }

    private async Task<RepairOrder> OrderAsync(TableMapping mapping, TableState state, RepairRequest request, CancellationToken cancellationToken)
    {
        var parts = verification.Require();
        var table = (await parts.Tables(cancellationToken)).Single(table => table.Source == mapping.Source);
        if (table.Unverifiable is { } reason)
        {
            throw new FaultException(FaultKind.NotAllowed, "unverifiable", $"Table {mapping.Source} cannot be compared: {reason}", $"'cdcm tables resync {mapping.Source}' copies it again");
        }

        var route = routes.Routes?.Find(mapping.Source)
            ?? throw new FaultException(FaultKind.Configuration, "missing-table", $"The target has no table {mapping.Target}", "Create it, then compare");
        return new RepairOrder(parts.TopicOf(mapping.Source), route, table, state.Wrong, string.IsNullOrWhiteSpace(request.Actor) ? "api" : request.Actor, request.DryRun);
    }

    private static IReadOnlyList<RowKey> Named(WrongRows wrong, TableMapping mapping, string key) => wrong.Named(key) is { Count: > 0 } found ? found
        : throw new FaultException(FaultKind.Configuration, "not-wrong", $"No row {key} of {mapping.Source} is known to be wrong",
            $"'cdcm verify show' lists those that are; 'cdcm verify start {mapping.Source}' compares anew");

    private TableMapping Named(string? name) => definition.Tables.FirstOrDefault(table => table.Source.ToString() == name)
        ?? throw new FaultException(FaultKind.Configuration, "unknown-table", $"'{name}' is no source table of migration {definition.Name}",
            $"Its tables: {string.Join(", ", definition.Tables.Select(table => table.Source))}");
}
