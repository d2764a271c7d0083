using System.Globalization;
using System.Text.RegularExpressions;
using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Configuration;

/// <summary>Reads the cutover's limits and the hooks that move applications.</summary>
internal static partial class CutoverReader
{
    /// <summary>Lists of hooks share the keys of their entries.</summary>
    private const string Hook = "cutover.route.*[]";
    private static readonly string[] KeysOfRequests = ["method", "headers", "body", "status"];
    private static readonly string[] KeysOfCommands = ["env"];

    public static CutoverSection Read(SectionReader section, SourceKind source)
    {
        var defaults = new CutoverSection();
        var cutover = new CutoverSection
        {
            MaxLag = section.Duration("maxLag", defaults.MaxLag),
            Budget = section.Duration("budget", defaults.Budget),
            VerifiedWithin = section.Duration("verifiedWithin", defaults.VerifiedWithin),
            AppRoles = section.Texts("appRoles"),
            RollbackWindow = section.Duration("rollbackWindow", defaults.RollbackWindow),
            RequireReverse = section.Choice<bool?>("requireReverse", null, ("true", true), ("false", false)),
            Lease = section.Duration("lease", defaults.Lease),
            LockTimeout = section.Duration("lockTimeout", defaults.LockTimeout),
            SequenceMargin = section.Integer("sequenceMargin", defaults.SequenceMargin, 1, 1_000_000_000),
            Deadlines = Deadlines(section.Section("deadlines"), defaults.Deadlines),
            Route = Route(section.Section("route")),
        };
        if (cutover.Lease < CutoverOptions.ShortestLease)
        {
            section.Fail("lease", $"cutover.lease is {Durations.Format(cutover.Lease)} but must be at least {Durations.Format(CutoverOptions.ShortestLease)}: a fence is over {Durations.Format(CutoverOptions.LiftMargin)} sooner, is renewed every third of that, and the point of no return wants some of it left");
        }

        if (cutover.LockTimeout > cutover.Deadlines.Fencing)
        {
            section.Fail("lockTimeout", $"cutover.lockTimeout is {Durations.Format(cutover.LockTimeout)} but must not be longer than deadlines.fencing ({Durations.Format(cutover.Deadlines.Fencing)})");
        }
        else if (cutover.Lease >= CutoverOptions.ShortestLease && CutoverOptions.LongestLockTimeout(cutover.Lease) is var longest && cutover.LockTimeout > longest)
        {
            section.Fail(
                "lockTimeout",
                $"cutover.lockTimeout is {Durations.Format(cutover.LockTimeout)} but must not be longer than {Durations.Format(longest)} with a lease of {Durations.Format(cutover.Lease)}: a close may wait twice that, and of what is left of the fence's term a renewal and the point of no return want theirs");
        }

        if (cutover.RequireReverse == true && source != SourceKind.PostgreSql)
        {
            section.Fail("requireReverse", "requireReverse is true, but there is no way back to a MariaDB or MySQL source: leave it out");
        }

        return cutover;
    }

    private static CutoverDeadlines Deadlines(SectionReader section, CutoverDeadlines defaults) => new()
    {
        Preparing = section.Duration("preparing", defaults.Preparing),
        Fencing = section.Duration("fencing", defaults.Fencing),
        Draining = section.Duration("draining", defaults.Draining),
        FinalVerify = section.Duration("finalVerify", defaults.FinalVerify),
        ReverseArmed = section.Duration("reverseArmed", defaults.ReverseArmed),
    };

    private static RouteSection Route(SectionReader section) => new()
    {
        PgBouncers = [.. section.Entries("pgbouncer").Select(PgBouncer)],
        BeforeFence = Hooks(section, "beforeFence"),
        AfterOpen = Hooks(section, "afterOpen"),
        OnAbort = Hooks(section, "onAbort"),
    };

    private static PgBouncerHook PgBouncer(SectionReader entry, int index)
    {
        var connection = MigrationReader.Connection(entry, SourceKind.PostgreSql, isPooler: true);
        var text = entry.HookText("connection") ?? HookText.Plain("");
        var databases = entry.Texts("databases");
        if (databases.Count == 0)
        {
            entry.Fail("databases", "pgbouncer must name the databases to pause, as PgBouncer calls them: databases: [shop]");
        }

        return new PgBouncerHook(
            index == 0 ? "pgbouncer" : string.Create(CultureInfo.InvariantCulture, $"pgbouncer {index + 1}"),
            text with { Shown = Redaction.Connection(connection), Secrets = [.. text.Secrets, .. Redaction.SecretsOf(connection)] },
            databases, entry.Duration("timeout", RoutingHook.DefaultTimeout));
    }

    private static List<RoutingHook> Hooks(SectionReader route, string moment)
    {
        var hooks = new List<RoutingHook>();
        foreach (var entry in route.Entries(moment, entryPath: Hook))
        {
            var hook = Read(entry);
            if (hook.Name.Length > 0 && hooks.Exists(other => other.Name == hook.Name))
            {
                entry.Fail("name", $"two hooks of {moment} are called {hook.Name}");
            }

            hooks.Add(hook);
        }

        return hooks;
    }

    private static RoutingHook Read(SectionReader entry)
    {
        var name = entry.Text("name");
        var timeout = entry.Duration("timeout", RoutingHook.DefaultTimeout);
        var (command, http) = (entry.HookTexts("command"), entry.HookText("http"));
        var method = entry.Choice("method", "POST", ("POST", "POST"), ("GET", "GET"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE"));
        var (headers, body, environment) = (Hidden(entry.HookMap("headers")), entry.HookText("body"), Hidden(entry.HookMap("env")));
        var statuses = Statuses(entry);
        var isCommand = entry.Has("command");
        if (isCommand == entry.Has("http"))
        {
            entry.Fail("name", $"hook '{name}' must have either a command or an http: command: [/usr/local/bin/switch, now] or http: https://…");
        }

        foreach (var key in (isCommand ? KeysOfRequests : KeysOfCommands).Where(entry.Has))
        {
            entry.Fail(key, $"{key} of hook '{name}' belongs to {(key == "env" ? "a command" : "an http")}");
        }

        CheckPlaceholders(entry, name, "command", command);
        CheckPlaceholders(entry, name, "env", environment.Values);
        CheckPlaceholders(entry, name, "http", http is null ? [] : [http]);
        CheckPlaceholders(entry, name, "headers", headers.Values);
        CheckPlaceholders(entry, name, "body", body is null ? [] : [body]);
        if (isCommand)
        {
            CheckCommand(entry, name, command, environment);
        }
        else if (http is not null)
        {
            CheckHttp(entry, name, http, headers);
        }

        return isCommand || http is null
            ? new CommandHook(name, command, environment, timeout)
            : new HttpHook(name, http, method, headers, body, statuses, timeout);
    }

    private static Dictionary<string, HookText> Hidden(IReadOnlyDictionary<string, HookText> texts) =>
        texts.ToDictionary(pair => pair.Key, pair => Redaction.Hidden(pair.Key, pair.Value), StringComparer.Ordinal);

    private static List<int> Statuses(SectionReader entry)
    {
        var statuses = new List<int>();
        foreach (var text in entry.Texts("status"))
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 100 and <= 599)
            {
                statuses.Add(status);
            }
            else
            {
                entry.Fail("status", $"'{text}' is not an HTTP status code");
            }
        }

        return statuses;
    }

    private static void CheckPlaceholders(SectionReader entry, string name, string key, IEnumerable<HookText> texts)
    {
        foreach (var unknown in texts.SelectMany(text => HookTemplate.Unknown(text.Value)))
        {
            entry.Fail(key, $"{{{{{unknown}}}}} in {key} of hook '{name}' stands for nothing; known are {string.Join(", ", HookContext.FactNames)}");
        }
    }

    private static void CheckCommand(SectionReader entry, string name, IReadOnlyList<HookText> command, IReadOnlyDictionary<string, HookText> environment)
    {
        if (command is [] or [{ Value: "" }, ..])
        {
            entry.Fail("command", $"hook '{name}' names no program");
        }

        foreach (var variable in environment.Keys)
        {
            if (!VariableForm().IsMatch(variable))
            {
                entry.Fail("env", $"'{variable}' is not a name of an environment variable");
            }
            else if (HookContext.VariableNames.Contains(variable))
            {
                entry.Fail("env", $"{variable} is set by cdcm for every command: {string.Join(", ", HookContext.VariableNames)}");
            }
        }
    }

    private static void CheckHttp(SectionReader entry, string name, HookText http, IReadOnlyDictionary<string, HookText> headers)
    {
        var example = new HookContext("m", "t", 1, MigrationDirection.Forward, new RouteEnd("a", 1, "d"), new RouteEnd("b", 2, "d"));
        if (!Uri.TryCreate(HookTemplate.FillUrl(http.Value, example, HookMoment.AfterOpen), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            entry.Fail("http", $"http of hook '{name}' must be an http or https address like https://balancer:8443/pools/shop");
        }

        foreach (var (header, value) in headers)
        {
            if (!HeaderForm().IsMatch(header) || value.Value.AsSpan().IndexOfAny('\r', '\n') >= 0)
            {
                entry.Fail("headers", $"'{header}' of hook '{name}' cannot be sent: names are letters, digits and hyphens, and values are one line");
            }
        }
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex VariableForm();

    [GeneratedRegex("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
    private static partial Regex HeaderForm();
}
