using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Cli.Demo;

/// <summary>The demo's switches: asked of the service over HTTP, as <c>cdcm cutover start</c> and <c>cdcm rollback</c> do.</summary>
internal sealed class DemoAttempts(string migration, DemoOptions options, DemoFolder folder, DemoDisplay display)
{
    private static readonly TimeSpan GateLimit = TimeSpan.FromMinutes(5);

    /// <summary>Asks for a comparison of every row where none was asked for yet, and waits for the gate of a direction.</summary>
    public async Task<string> OpenGateAsync(DemoService service, string direction, CancellationToken cancellationToken)
    {
        if (direction.Length == 0)
        {
            await service.PostAsync<VerifyReport>("/api/verify", new VerifyRequest(null, true), cancellationToken);
        }

        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var gate = await service.GetAsync<GateReport>($"{direction}/api/gate", cancellationToken);
            if (gate is { Open: true })
            {
                return $"the gate {(direction.Length == 0 ? "" : "of the way back ")}is open: all {gate.Criteria.Count} criteria pass";
            }

            if (TimeProvider.System.GetElapsedTime(began) > GateLimit)
            {
                throw new FaultException(
                    FaultKind.TimedOut, "demo-gate", $"The gate did not open: {string.Join("; ", gate?.Criteria.Where(criterion => criterion.Closes).Select(criterion => $"{criterion.Name} {criterion.Measured}") ?? [])}",
                    $"See {folder.ServiceLog}; the source was left open");
            }

            display.Now("comparing every row");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>
    /// Attempts of the service, each step shown as it ends. A service that dies meanwhile has its fence lifted, or the other side opened, by the next one: then the sides say how it
    /// ended, and what was undone is tried again.
    /// </summary>
    public async Task<CutoverStatus> RunAsync(DemoService service, MigrationDirection direction, CancellationToken cancellationToken)
    {
        while (true)
        {
            var now = await service.PostAsync<CutoverStatus>("/api/cutover/start", new CutoverRequest(migration, direction, options.Keep, "cdcm demo"), cancellationToken);
            var attempt = now.Attempt;
            var shown = 0;
            while (now.Attempt == attempt)
            {
                foreach (var step in now.Steps.Skip(shown))
                {
                    display.Done(step.Name.ToString().ToLowerInvariant(), step.Outcome, step.Ms);
                }

                if (now.Phase != CutoverPhase.Running)
                {
                    return now;
                }

                shown = now.Steps.Count;
                display.Now($"{(direction == MigrationDirection.Forward ? "cutting over" : "going back")}: {now.Step}");
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
                now = await service.GetAsync<CutoverStatus>("/api/cutover", cancellationToken) ?? now;
            }

            display.Say("the service died during the switch; the next one ends it by what the databases say");
            while (now is not ({ Source.State: FenceState.Open, Target.State: FenceState.Sealed } or { Source.State: FenceState.Sealed, Target.State: FenceState.Open }))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
                now = await service.GetAsync<CutoverStatus>("/api/cutover", cancellationToken) ?? now;
            }

            if ((direction == MigrationDirection.Forward ? now.Target : now.Source)!.State == FenceState.Open)
            {
                return now with { Phase = CutoverPhase.Done, Direction = direction };
            }

            await OpenGateAsync(service, direction == MigrationDirection.Forward ? "" : "/back", cancellationToken);
        }
    }
}
