using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Api;

namespace CdcMigrator.Service.Switching;

/// <summary>What can be done with both databases alone, when no service runs.</summary>
public static class OfflineCutover
{
    /// <summary>
    /// Lifts the fence of whichever side is closed by an attempt, and calls off one that makes applications wait before that; whoever has its hooks lets them go. Nothing behind the seal. May be repeated.
    /// </summary>
    /// <exception cref="FaultException">NotAllowed <c>nothing-to-abort</c>, <c>no-fence</c>. Unreachable: a side does not answer.</exception>
    public static Task<CutoverStatus> AbortAsync(MigrationDefinition definition, CancellationToken cancellationToken) => UseAsync(definition, async sides =>
    {
        var lifted = await sides.LiftAsync(cancellationToken) || (await sides.CallOffAsync(Sides.OwnersTime, cancellationToken)).Count > 0;
        var (source, target, away) = await sides.ReadEachAsync(cancellationToken);
        return lifted
            ? CutoverStatus.Of(definition.Name, source, target, null, null, null, away)
            : throw new FaultException(FaultKind.NotAllowed, "nothing-to-abort", "No side is closed by an attempt that could be called off", "'cdcm cutover sql' prints what is known of both sides");
    });

    /// <summary>SQL for psql, by side, that lifts what is there now, or opens the side for which the other one was left; a comment for a side that does not answer.</summary>
    /// <exception cref="FaultException">NotAllowed <c>no-fence</c>. Unreachable: neither side answers.</exception>
    public static Task<IReadOnlyDictionary<string, string>> ScriptsAsync(MigrationDefinition definition, CancellationToken cancellationToken) => UseAsync(definition, async sides =>
    {
        var (source, target) = await sides.ReadAnyAsync(cancellationToken);
        return (IReadOnlyDictionary<string, string>)new Dictionary<string, string>
        {
            ["source"] = await ScriptAsync(sides.Source, sides.Target, target, cancellationToken),
            ["target"] = await ScriptAsync(sides.Target, sides.Source, source, cancellationToken),
        };
    });

    /// <summary>SQL for psql that removes the fence of one side whatever its state, and ends what is applied to it. Asks neither side: the other one may be lost.</summary>
    /// <param name="definition">The migration file.</param>
    /// <param name="side"><c>source</c> or <c>target</c>.</param>
    /// <exception cref="FaultException">NotAllowed <c>no-fence</c>.</exception>
    public static IReadOnlyDictionary<string, string> RemovalScript(MigrationDefinition definition, string side)
    {
        RequireFence(definition);
        return new Dictionary<string, string> { [side] = FenceScript.Remove(definition.Name, [.. definition.Tables.Select(table => side == "source" ? table.Source : table.Target)]) };
    }

    private static async Task<string> ScriptAsync(FencedSide side, FencedSide otherSide, FenceRecord? other, CancellationToken cancellationToken)
    {
        try
        {
            return await Sides.AskAsync(async () => await side.LiftScriptAsync(
                other, other is { State: FenceState.Sealed } ? await otherSide.ReadTermsAsync(other.Token, cancellationToken) : null, cancellationToken));
        }
        catch (FaultException exception)
        {
            return $"-- Nothing is known of this side: {exception.Fault.Message.ReplaceLineEndings(" ")}\n";
        }
    }

    /// <summary>The evidence of an attempt that is over.</summary>
    /// <param name="definition">The migration file.</param>
    /// <param name="token">The attempt; null for the last one that was done, or the last one where none was.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">NotAllowed <c>no-evidence</c>, <c>no-fence</c>. Unreachable: a side does not answer, and the other one knows nothing.</exception>
    public static Task<CutoverEvidence> EvidenceAsync(MigrationDefinition definition, string? token, CancellationToken cancellationToken) =>
        UseAsync(definition, sides => sides.ReadEvidenceAsync(token, cancellationToken));

    private static void RequireFence(MigrationDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (definition.Source.Kind != SourceKind.PostgreSql)
        {
            throw new FaultException(FaultKind.NotAllowed, "no-fence", "A source that is not PostgreSQL has no fence", "Only its applications can be stopped");
        }
    }

    private static async Task<T> UseAsync<T>(MigrationDefinition definition, Func<Sides, Task<T>> work)
    {
        RequireFence(definition);
        await using var source = PostgresConnections.CreateControl(definition.Source.Connection);
        await using var target = PostgresConnections.CreateControl(definition.Target.Connection);
        return await work(new Sides(definition, source, target, TimeProvider.System));
    }
}
