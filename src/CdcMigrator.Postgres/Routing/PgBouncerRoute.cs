using System.Globalization;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.Routing;

/// <summary>
/// Holds an application's transactions back in a PgBouncer while its database moves. Every method may be repeated, by another process too: what is paused lies in
/// PgBouncer, not in the session that paused it. Messages hold no secrets.
/// </summary>
/// <param name="connection">Connection string of the admin console.</param>
/// <param name="databases">Databases as PgBouncer calls them.</param>
public sealed class PgBouncerRoute(string connection, IReadOnlyList<string> databases)
{
    /// <summary>Pauses the databases, all at once, and waits until their transactions in progress have ended.</summary>
    /// <exception cref="FaultException">Unreachable or Configuration. Some databases may be paused then, and stay so until <see cref="ResumeAsync"/>.</exception>
    public async Task<string> PauseAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(databases.Select(async database =>
        {
            await using var console = await PgBouncerConsole.OpenAsync(connection, cancellationToken);
            await console.RunAsync($"PAUSE {Quoted(database)}", cancellationToken);
        }));
        return $"paused: {string.Join(", ", databases)}";
    }

    /// <summary>Lets PgBouncer read its configuration again and resumes the databases, unless one still leads to the side that was left.</summary>
    /// <param name="host">Host of the side that was left.</param>
    /// <param name="port">Its port.</param>
    /// <param name="database">Its database.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">Configuration <c>pgbouncer-old-target</c>: nothing was resumed. Unreachable, Configuration: as the message says.</exception>
    public async Task<string> SwitchAsync(string host, int port, string database, CancellationToken cancellationToken)
    {
        await using var console = await PgBouncerConsole.OpenAsync(connection, cancellationToken);
        await console.RunAsync("RELOAD", cancellationToken);
        var states = await ReadAsync(console, cancellationToken);
        var left = string.Create(CultureInfo.InvariantCulture, $"{host}:{port}/{database}");
        if (databases.FirstOrDefault(name => states.GetValueOrDefault(name)?.Target == left) is { } behind)
        {
            throw new FaultException(
                FaultKind.Configuration, "pgbouncer-old-target", $"PgBouncer's configuration still leads {behind} to {left}, which takes no writes any more",
                "Point its [databases] entry to the new side, in an afterOpen hook or by hand");
        }

        return await ResumePausedAsync(console, states, cancellationToken);
    }

    /// <summary>Resumes those of the databases that are paused.</summary>
    /// <exception cref="FaultException">Unreachable or Configuration, as the message says.</exception>
    public async Task<string> ResumeAsync(CancellationToken cancellationToken)
    {
        await using var console = await PgBouncerConsole.OpenAsync(connection, cancellationToken);
        return await ResumePausedAsync(console, await ReadAsync(console, cancellationToken), cancellationToken);
    }

    /// <summary>What would keep pausing from working; null where nothing is known. Changes nothing.</summary>
    public async Task<Fault?> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var console = await PgBouncerConsole.OpenAsync(connection, cancellationToken);
            var states = await ReadAsync(console, cancellationToken);
            if (databases.FirstOrDefault(name => !states.ContainsKey(name)) is { } unknown)
            {
                return new Fault(
                    FaultKind.Configuration, "pgbouncer-database", $"PgBouncer at {PgBouncerConsole.PlaceOf(connection)} knows no database {unknown}; it has {string.Join(", ", states.Keys)}",
                    "Correct cutover.route.pgbouncer.databases");
            }

            var mode = (await console.RunAsync("SHOW CONFIG", cancellationToken)).FirstOrDefault(row => row.GetValueOrDefault("key") == "pool_mode")?.GetValueOrDefault("value");
            return databases.FirstOrDefault(name => (states[name].PoolMode ?? mode) == "session") is { } session
                ? new Fault(
                    FaultKind.Configuration, "pgbouncer-session", $"PgBouncer at {PgBouncerConsole.PlaceOf(connection)} has pool_mode session for {session}: a pause waits there until every client has gone",
                    "Use pool_mode transaction, or leave PgBouncer out of cutover.route")
                : null;
        }
        catch (FaultException exception)
        {
            return exception.Fault;
        }
    }

    private static async Task<IReadOnlyDictionary<string, DatabaseState>> ReadAsync(PgBouncerConsole console, CancellationToken cancellationToken) =>
        (await console.RunAsync("SHOW DATABASES", cancellationToken)).ToDictionary(
            row => row["name"] ?? "",
            row => new DatabaseState($"{row.GetValueOrDefault("host")}:{row.GetValueOrDefault("port")}/{row.GetValueOrDefault("database")}", row.GetValueOrDefault("pool_mode"), row.GetValueOrDefault("paused") == "1"),
            StringComparer.Ordinal);

    private async Task<string> ResumePausedAsync(PgBouncerConsole console, IReadOnlyDictionary<string, DatabaseState> states, CancellationToken cancellationToken)
    {
        // The console calls it an error to resume what is not paused.
        foreach (var name in databases.Where(name => states.GetValueOrDefault(name)?.Paused == true))
        {
            await console.RunAsync($"RESUME {Quoted(name)}", cancellationToken);
        }

        return string.Join('\n', databases.Select(name => states.GetValueOrDefault(name) is { } state
            ? $"{name}: {(state.Paused ? "resumed" : "was not paused")}, leads to {state.Target}"
            : $"{name}: not known to PgBouncer"));
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private sealed record DatabaseState(string Target, string? PoolMode, bool Paused);
}
