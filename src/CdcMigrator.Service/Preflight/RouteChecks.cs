using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.Service.Preflight;

/// <summary>Whether the hooks of a cutover could be run from here. Nothing is run. A warning: what moves applications may be set up long after the migration has begun.</summary>
internal static class RouteChecks
{
    public static async Task<IReadOnlyList<Finding>> RunAsync(MigrationDefinition definition, CancellationToken cancellationToken)
    {
        using var runner = new HookRunner();
        var faults = await new RoutingHooks(definition.Cutover.Route, runner, TimeProvider.System).CheckAsync(cancellationToken);
        return [.. faults.Select(fault => new Finding(Severity.Warning, fault.Code, fault.Message, fault.Fix))];
    }
}
