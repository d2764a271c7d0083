using CdcMigrator.Cutover.Advising;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.Service.Advising;

/// <summary>Where advice is asked for. Reads only.</summary>
internal sealed class AdviceDesk(MigrationDefinition definition, BothWays ways, TimeProvider time)
{
    /// <summary>What is to be done now. A side that does not answer is named, and is a reason for nothing.</summary>
    public async Task<AdviceReport> AskAsync(CancellationToken cancellationToken)
    {
        var notKnown = new List<string>();
        var (source, target, leaked) = ((FenceRecord?)null, (FenceRecord?)null, 0L);
        if (ways.Sides is { } sides)
        {
            source = await TryAsync("the source", () => sides.Source.ReadAsync(cancellationToken));
            target = await TryAsync("the target", () => sides.Target.ReadAsync(cancellationToken));
            leaked = source is not { State: FenceState.Sealed } ? 0
                : await TryAsync("writes of others on the source", () => Patience.AskAsync(sides.Source.Name, Patience.Answer, async stop => (await LeakedRows.ReadAsync(sides.LeftDatabase(MigrationDirection.Forward), definition.Name, stop)).Values.Sum(), cancellationToken));
        }

        var forward = await ways.Forward.StatusWithFindingsAsync(cancellationToken);
        var back = ways.Back is null ? null : await ways.Back.StatusWithFindingsAsync(cancellationToken);
        IReadOnlyList<string> gaps = [.. (ways.Window?.Findings ?? []).Where(finding => finding.Code == "fence-gap").Select(finding => finding.Message)];
        var facts = AdviceReading.Of(definition, forward, back, ways.BackFault, source, target, leaked, gaps, notKnown, time.GetUtcNow());
        var advice = AdviceRules.Of(facts);
        return new AdviceReport(definition.Name, facts.Standing, advice.Kind, advice.Rules, notKnown);

        async Task<T?> TryAsync<T>(string what, Func<Task<T>> read)
        {
            try
            {
                return await Sides.AskAsync(read);
            }
            catch (FaultException exception)
            {
                notKnown.Add($"{what}: {exception.Fault.Message}");
                return default;
            }
        }
    }
}
