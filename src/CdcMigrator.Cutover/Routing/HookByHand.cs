using System.Data.Common;
using System.Globalization;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Cutover.Routing;

/// <summary>What an operator types to do a hook's work; secrets stay the references that the migration file has.</summary>
public static class HookByHand
{
    /// <summary>One line for a POSIX shell.</summary>
    public static string Of(RoutingHook hook, HookMoment moment, HookContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return hook switch
        {
            CommandHook command => OfCommand(command, moment, context),
            HttpHook http => OfHttp(http, moment, context),
            PgBouncerHook bouncer => OfPgBouncer(bouncer, moment),
            _ => throw new ArgumentOutOfRangeException(nameof(hook), hook, null),
        };
    }

    /// <summary>What PgBouncer's admin console is told at a moment.</summary>
    public static IReadOnlyList<string> ConsoleCommands(PgBouncerHook hook, HookMoment moment)
    {
        ArgumentNullException.ThrowIfNull(hook);
        var word = moment == HookMoment.BeforeFence ? "PAUSE" : "RESUME";
        return [.. moment == HookMoment.AfterOpen ? ["RELOAD"] : Array.Empty<string>(), .. hook.Databases.Select(name => $"{word} \"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")];
    }

    private static string OfCommand(CommandHook hook, HookMoment moment, HookContext context)
    {
        var variables = context.Environment(moment)
            .Concat(hook.Environment.Select(pair => KeyValuePair.Create(pair.Key, HookTemplate.Fill(pair.Value.Shown, context, moment))))
            .Select(pair => $"{pair.Key}={Quote(pair.Value)}");
        return string.Join(' ', variables.Concat(hook.Arguments.Select(text => Quote(HookTemplate.Fill(text.Shown, context, moment)))));
    }

    private static string OfHttp(HttpHook hook, HookMoment moment, HookContext context)
    {
        var words = new List<string> { "curl", "-X", hook.Method };
        foreach (var (name, value) in hook.Headers)
        {
            words.Add("-H");
            words.Add(Quote($"{name}: {HookTemplate.Fill(value.Shown, context, moment)}"));
        }

        if (BodyOf(hook, hook.Body?.Shown, moment, context) is { } body)
        {
            words.Add("-d");
            words.Add(Quote(body));
        }

        words.Add(Quote(HookTemplate.FillUrl(hook.Url.Shown, context, moment)));
        return string.Join(' ', words);
    }

    /// <summary>A request's body; null for methods that have none.</summary>
    public static string? BodyOf(HttpHook hook, string? text, HookMoment moment, HookContext context)
    {
        ArgumentNullException.ThrowIfNull(hook);
        ArgumentNullException.ThrowIfNull(context);
        return text is not null ? HookTemplate.FillBody(text, context, moment) : hook.Method is "GET" or "DELETE" ? null : context.Json(moment);
    }

    private static string OfPgBouncer(PgBouncerHook hook, HookMoment moment)
    {
        var connection = new DbConnectionStringBuilder { ConnectionString = hook.Connection.Value };
        var words = new List<string> { "psql" };
        foreach (var (option, keywords, otherwise) in new[]
        {
            ("-h", new[] { "Host", "Server" }, ""),
            ("-p", ["Port"], "6432"),
            ("-U", ["Username", "User Name", "UserId", "User Id", "UID"], ""),
            ("-d", ["Database", "DB"], "pgbouncer"),
        })
        {
            var value = keywords.Select(keyword => connection.TryGetValue(keyword, out var found) ? Convert.ToString(found, CultureInfo.InvariantCulture) : null).FirstOrDefault(found => found is not null) ?? otherwise;
            if (value.Length > 0)
            {
                words.Add(option);
                words.Add(Quote(value));
            }
        }

        words.AddRange(ConsoleCommands(hook, moment).SelectMany(command => new[] { "-c", Quote(command) }));
        return string.Join(' ', words);
    }

    /// <summary>A word of a shell. References stay references: double quotes let the shell put in the variable.</summary>
    private static string Quote(string word) =>
        word.Length > 0 && word.All(character => char.IsAsciiLetterOrDigit(character) || "_-./:=@%+,".Contains(character, StringComparison.Ordinal)) ? word
        : word.Contains("${", StringComparison.Ordinal)
            ? $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("`", "\\`", StringComparison.Ordinal)}\""
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
