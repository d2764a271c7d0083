using CdcMigrator.Cli.Output;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Commands;

/// <summary>
/// Looks on while a service makes an attempt. A look that fails says nothing of the attempt, which goes on by itself: it is made again, for a limited time. A process that does not know the attempt, because the one
/// that began it is gone, still knows what the databases say: the report in their journals, else the rows of both sides.
/// </summary>
/// <param name="service">Where to ask.</param>
/// <param name="begun">The service's answer to the request: which attempt is meant.</param>
/// <param name="patience">How long to look on while nothing is heard of the attempt.</param>
/// <param name="terminal">Where people are told, once, that nothing is heard.</param>
internal sealed class AttemptFollower(ServiceClient service, CutoverStatus begun, TimeSpan patience, Terminal terminal)
{
    /// <summary>Code of an attempt whose end no process reported, on a side that takes writes again.</summary>
    public const string Undone = "attempt-undone";

    private const string Next = "'cdcm cutover status' shows how it ended, once the service answers; 'cdcm diagnose -f FILE' asks the databases themselves";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private readonly string attempt = begun.Attempt!;
    private bool told;

    /// <summary>Waits for the attempt's end.</summary>
    /// <param name="seen">Told of every look that shows the attempt.</param>
    /// <param name="cancellationToken">Gives up looking; the attempt goes on.</param>
    /// <returns>How it ended; never <see cref="CutoverPhase.Running"/>.</returns>
    /// <exception cref="FaultException">Unreachable: nothing was heard of it for as long as the patience.</exception>
    public async Task<CutoverStatus> UntilOverAsync(Action<CutoverStatus> seen, CancellationToken cancellationToken)
    {
        var (now, since) = (begun, (long?)null);
        using var leaving = cancellationToken.Register(() => terminal.Error.WriteLine($"attempt {attempt} goes on in the service: 'cdcm cutover status' shows it, 'cdcm cutover abort' calls it off"));
        while (now.Phase == CutoverPhase.Running)
        {
            await Task.Delay(Look, TimeProvider.System, cancellationToken);
            var asked = TimeProvider.System.GetTimestamp();
            Fault missing;
            try
            {
                var (answer, _) = await service.GetAsync<CutoverStatus>("/api/cutover", cancellationToken);
                if ((answer.Attempt == attempt ? answer : await AskDatabasesAsync(now, answer, cancellationToken)) is { } known)
                {
                    (now, since) = (known, null);
                    seen(now);
                    continue;
                }

                missing = answer.Away is { } away ? new Fault(FaultKind.Unreachable, "attempt-out-of-sight", $"how attempt {attempt} ended is not known: {away.Message}", Next) : new Fault(
                    FaultKind.Unreachable, "attempt-not-known",
                    $"the process that answers does not know attempt {attempt}, and neither side shows a trace of it: it ended before it closed a side, unless another process still prepares it", Next);
            }
            catch (FaultException exception)
            {
                missing = new Fault(FaultKind.Unreachable, "attempt-out-of-sight", $"nothing was heard of attempt {attempt} for {patience.TotalSeconds:0.#} s, which goes on by itself: {exception.Fault.Message}", Next);
                Tell($"the service does not say how the attempt stands ({exception.Fault.Message}); it goes on by itself, and is looked for again for {patience.TotalSeconds:0.#} s");
            }

            since ??= asked;
            if (TimeProvider.System.GetElapsedTime(since.Value) >= patience)
            {
                throw new FaultException(missing);
            }
        }

        return now;
    }

    private void Tell(string text)
    {
        if (!told)
        {
            told = true;
            terminal.Error.WriteLine(text);
        }
    }

    /// <summary>What the databases say of the attempt; null where they show no trace of it.</summary>
    /// <param name="last">What was last known of it.</param>
    /// <param name="answer">Both sides, from a process that does not know it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task<CutoverStatus?> AskDatabasesAsync(CutoverStatus last, CutoverStatus answer, CancellationToken cancellationToken)
    {
        Tell("the process that began the attempt does not answer any more; another one says what the databases show of it");
        if (await EvidenceAsync(cancellationToken) is { Report: { Phase: not (CutoverPhase.Running or CutoverPhase.Unknown or CutoverPhase.Sealed) } report } evidence)
        {
            return Known(report.Phase) with
            {
                Steps = report.Steps,
                WriteOutageMs = report.OutageMs,
                PredictedMs = evidence.PredictedMs,
                Predicted = evidence.Predicted,
                Sequences = report.Proof?.Sequences ?? [],
                Fault = report.Fault is { } fault ? FaultReport.Of(fault) : null,
            };
        }

        var (left, taking) = last.Direction == MigrationDirection.Forward ? (answer.Source, answer.Target) : (answer.Target, answer.Source);
        if (taking?.State == FenceState.Open && taking.Attempt == attempt)
        {
            return Known(CutoverPhase.Done);
        }

        return left switch
        {
            { State: FenceState.Open, Held: var held } when held == attempt => Known(CutoverPhase.Running),
            { State: FenceState.Closed or FenceState.Sealed } when left.Attempt == attempt => Known(CutoverPhase.Running),
            { State: FenceState.Open } when left.Attempt == attempt => Known(CutoverPhase.Undone) with
            {
                Fault = FaultReport.Of(new Fault(
                    FaultKind.NotAllowed, Undone, "The process that made the attempt ended, and the fence was lifted: applications write where they wrote before", "'cdcm cutover check' shows whether another attempt may begin")),
            },
            _ => null,
        };

        CutoverStatus Known(CutoverPhase phase) => answer with { Attempt = attempt, Direction = last.Direction, Actor = last.Actor, Phase = phase, Step = null, Steps = last.Steps, Fault = null };
    }

    private async Task<CutoverEvidence?> EvidenceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await service.GetAsync<CutoverEvidence>($"/api/cutover/evidence?attempt={Uri.EscapeDataString(attempt)}", cancellationToken)).Value;
        }
        catch (FaultException exception) when (exception.Fault.Code == "no-evidence")
        {
            return null;
        }
    }
}
