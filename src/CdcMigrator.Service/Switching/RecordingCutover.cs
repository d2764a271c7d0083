using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Draining;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Service.Switching;

/// <summary>An attempt that looks at everything and does nothing: it notes what each step would do. Only <see cref="PrepareAsync"/> is the real one, which sends markers through both logs.</summary>
/// <param name="prepare">The real look.</param>
/// <param name="sequences">Sequences that would be advanced.</param>
/// <param name="definition">The migration file, in its own direction.</param>
/// <param name="options">What an attempt goes by.</param>
/// <param name="hooks">What routes applications.</param>
internal sealed class RecordingCutover(
    Func<CutoverAttempt, CancellationToken, Task<string>> prepare, Func<CancellationToken, Task<IReadOnlyList<TableName>>> sequences, MigrationDefinition definition, CutoverOptions options, RoutingHooks hooks) : ICutoverActions
{
    private readonly Dictionary<CutoverStep, string> would = [];
    private IReadOnlyList<TableName> found = [];

    /// <summary>What each step would do.</summary>
    public IReadOnlyDictionary<CutoverStep, string> Would => would;

    /// <inheritdoc />
    public async Task<string> PrepareAsync(CutoverAttempt attempt, CancellationToken cancellationToken)
    {
        var outcome = await prepare(attempt, cancellationToken);
        found = await sequences(cancellationToken);
        return outcome;
    }

    /// <inheritdoc />
    public Task<string> HoldAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken) =>
        Task.FromResult(Note(CutoverStep.Hold, Hooks(HookMoment.BeforeFence)));

    /// <inheritdoc />
    public Task<FencePosition> CloseAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken)
    {
        var tables = definition.Tables.Select(table => attempt.Direction == MigrationDirection.Forward ? table.Source : table.Target);
        Note(CutoverStep.Fence, $"would deny writes on the {Left(attempt)} to {definition.Tables.Count} tables, for {Durations.Format(options.Lease)} without a renewal: {string.Join(", ", tables)}");
        return Task.FromResult(new FencePosition("", 0));
    }

    /// <inheritdoc />
    public Task<bool> RenewAsync(CutoverAttempt attempt, TimeSpan lease, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <inheritdoc />
    public Task<DrainReport> DrainAsync(FencePosition fence, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Note(CutoverStep.Drain, $"would wait, {Durations.Format(timeout)} at most, until everything before the fence is applied");
        return Task.FromResult(new DrainReport(true, true, true, [], 0, 0));
    }

    /// <inheritdoc />
    public Task<CutoverProof> ProveAsync(CutoverAttempt attempt, DrainReport drained, CancellationToken cancellationToken)
    {
        var roles = options.AppRoles.Count == 0 ? "" : $"; would try a write on the {Left(attempt)} as {string.Join(", ", options.AppRoles)}";
        var moved = found.Count == 0 ? "no sequences to move" : $"would move sequences of the {Taking(attempt)} on, {options.SequenceMargin} values beyond: {string.Join(", ", found)}";
        var way = attempt.Return switch
        {
            ReturnWay.None => "would leave it without a way back",
            ReturnWay.IfItWorks => "would find where the way back begins, or go without one",
            _ => "would find where the way back begins",
        };
        Note(CutoverStep.Prove, $"would compare every key that changed, in {definition.Tables.Count} tables; {moved}; {way}{roles}");
        return Task.FromResult(new CutoverProof([], [], null, null));
    }

    /// <inheritdoc />
    public Task<bool> SealAsync(CutoverReport report, CancellationToken cancellationToken)
    {
        Note(CutoverStep.Seal, $"would leave the {Left(report.Attempt)} for good: the point of no return");
        return Task.FromResult(true);
    }

    /// <inheritdoc />
    public Task<string> OpenAsync(CutoverAttempt attempt, CancellationToken cancellationToken) =>
        Task.FromResult(Note(CutoverStep.Open, $"would allow writes on the {Taking(attempt)}"));

    /// <inheritdoc />
    public Task<bool> UndoAsync(CutoverAttempt attempt, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <inheritdoc />
    public Task<FenceRecord> ReadAsync(CutoverAttempt attempt, CancellationToken cancellationToken) => Task.FromResult(new FenceRecord(FenceState.Open, 0, "", TimeSpan.Zero));

    /// <inheritdoc />
    public Task<string> RouteAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken) =>
        Task.FromResult(Note(CutoverStep.Route, Hooks(HookMoment.AfterOpen)));

    /// <inheritdoc />
    public Task RouteBackAsync(CutoverAttempt attempt, Action<HookOutcome> tell, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task NoteAsync(CutoverReport report, CancellationToken cancellationToken) => Task.CompletedTask;

    private string Left(CutoverAttempt attempt) => attempt.Direction == MigrationDirection.Forward ? $"source {RouteEnds.Of(definition.Source)}" : $"target {RouteEnds.Of(definition.Target)}";

    private string Taking(CutoverAttempt attempt) => attempt.Direction == MigrationDirection.Forward ? $"target {RouteEnds.Of(definition.Target)}" : $"source {RouteEnds.Of(definition.Source)}";

    private string Hooks(HookMoment moment) => hooks.At(moment) is { Count: > 0 } all ? $"would run hooks: {string.Join(", ", all.Select(hook => hook.Name))}" : "no hooks";

    private string Note(CutoverStep step, string text) => would[step] = text;
}
