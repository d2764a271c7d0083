using CdcMigrator.Cutover;
using CdcMigrator.Domain.Migrations;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CdcMigrator.Service.Configuration;

/// <summary>Writes what a file says of the cutover. References in hooks stay references: what they stand for is shown nowhere.</summary>
internal static class EffectiveCutover
{
    public static YamlMappingNode Of(MigrationDefinition definition)
    {
        var cutover = definition.Cutover;
        return EffectiveFile.Map(
            ("maxLag", Durations.Format(cutover.MaxLag)),
            ("budget", Durations.Format(cutover.Budget)),
            ("verifiedWithin", Durations.Format(cutover.VerifiedWithin)),
            ("appRoles", EffectiveFile.List(cutover.AppRoles)),
            ("rollbackWindow", Durations.Format(cutover.RollbackWindow)),
            ("requireReverse", CutoverOptions.Of(definition).RequireReverse ? "true" : "false"),
            ("lease", Durations.Format(cutover.Lease)),
            ("lockTimeout", Durations.Format(cutover.LockTimeout)),
            ("sequenceMargin", EffectiveFile.Text(cutover.SequenceMargin)),
            ("deadlines", EffectiveFile.Map(
                ("preparing", Durations.Format(cutover.Deadlines.Preparing)),
                ("fencing", Durations.Format(cutover.Deadlines.Fencing)),
                ("draining", Durations.Format(cutover.Deadlines.Draining)),
                ("finalVerify", Durations.Format(cutover.Deadlines.FinalVerify)),
                ("reverseArmed", Durations.Format(cutover.Deadlines.ReverseArmed)))),
            ("route", Route(cutover.Route)));
    }

    private static YamlMappingNode Route(RouteSection route) => EffectiveFile.Map(
        ("pgbouncer", Hooks(route.PgBouncers)),
        ("beforeFence", Hooks(route.BeforeFence)),
        ("afterOpen", Hooks(route.AfterOpen)),
        ("onAbort", Hooks(route.OnAbort)));

    private static YamlSequenceNode Hooks(IReadOnlyList<RoutingHook> hooks) =>
        new(hooks.Select(Hook)) { Style = hooks.Count == 0 ? YamlDotNet.Core.Events.SequenceStyle.Flow : YamlDotNet.Core.Events.SequenceStyle.Block };

    private static YamlNode Hook(RoutingHook hook)
    {
        var section = hook is PgBouncerHook ? EffectiveFile.Map() : EffectiveFile.Map(("name", hook.Name));
        switch (hook)
        {
            case PgBouncerHook bouncer:
                section.Add("connection", EffectiveFile.Quoted(new YamlScalarNode(bouncer.Connection.Shown)));
                section.Add("databases", EffectiveFile.List(bouncer.Databases));
                break;
            case CommandHook command:
                section.Add("command", new YamlSequenceNode(command.Arguments.Select(Shown)) { Style = YamlDotNet.Core.Events.SequenceStyle.Flow });
                section.Add("env", Texts(command.Environment));
                break;
            case HttpHook http:
                section.Add("http", Shown(http.Url));
                section.Add("method", http.Method);
                section.Add("headers", Texts(http.Headers));
                if (http.Body is { } body)
                {
                    section.Add("body", Shown(body));
                }

                if (http.Statuses.Count > 0)
                {
                    section.Add("status", EffectiveFile.List(http.Statuses.Select(status => EffectiveFile.Text(status))));
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(hook), hook, null);
        }

        section.Add("timeout", Durations.Format(hook.Timeout));
        return section;
    }

    private static YamlMappingNode Texts(IReadOnlyDictionary<string, HookText> texts) =>
        new(texts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create<YamlNode, YamlNode>(EffectiveFile.Quoted(new YamlScalarNode(pair.Key)), Shown(pair.Value))))
        {
            Style = texts.Count == 0 ? YamlDotNet.Core.Events.MappingStyle.Flow : YamlDotNet.Core.Events.MappingStyle.Block,
        };

    /// <summary>As the file has it, and so not escaped again.</summary>
    private static YamlScalarNode Shown(HookText text) => new(text.Shown) { Style = ScalarStyle.DoubleQuoted };
}
