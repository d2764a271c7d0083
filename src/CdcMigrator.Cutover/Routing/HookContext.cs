using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Cutover.Routing;

/// <summary>What a hook is told. Holds no secrets.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="Token">The attempt: equal in all calls of one attempt, so that a repeat can be known.</param>
/// <param name="Epoch">Its number: larger than those of all earlier attempts.</param>
/// <param name="Direction">Forward, or the way back.</param>
/// <param name="From">The side that is left.</param>
/// <param name="To">The side that takes over.</param>
public sealed record HookContext(string Migration, string Token, long Epoch, MigrationDirection Direction, RouteEnd From, RouteEnd To)
{
    private const string Prefix = "CDCM_";

    // For bodies and commands, not for pages: a '+' stays a '+'.
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Names of all facts, as placeholders have them.</summary>
    public static IReadOnlyList<string> FactNames { get; } =
        [.. new HookContext("", "", 0, default, new("", 0, ""), new("", 0, "")).Facts(default).Select(fact => fact.Name)];

    /// <summary>Names of the environment variables of commands.</summary>
    public static IReadOnlyList<string> VariableNames { get; } = [.. FactNames.Select(Variable)];

    /// <summary>All facts in a fixed order.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts(HookMoment moment) =>
    [
        ("migration", Migration),
        ("token", Token),
        ("epoch", Text(Epoch)),
        ("direction", JsonNamingPolicy.CamelCase.ConvertName(Direction.ToString())),
        ("moment", JsonNamingPolicy.CamelCase.ConvertName(moment.ToString())),
        ("fromHost", From.Host),
        ("fromPort", Text(From.Port)),
        ("fromDatabase", From.Database),
        ("toHost", To.Host),
        ("toPort", Text(To.Port)),
        ("toDatabase", To.Database),
    ];

    /// <summary>The facts as environment variables: <c>CDCM_TO_HOST</c>.</summary>
    public IReadOnlyDictionary<string, string> Environment(HookMoment moment) => Facts(moment).ToDictionary(fact => Variable(fact.Name), fact => fact.Value, StringComparer.Ordinal);

    /// <summary>The facts as a JSON object with the placeholders' names; epoch and ports are numbers.</summary>
    public string Json(HookMoment moment) => JsonSerializer.Serialize(
        Facts(moment).ToDictionary(
            fact => fact.Name,
            object (fact) => fact.Name is "epoch" or "fromPort" or "toPort" ? long.Parse(fact.Value, CultureInfo.InvariantCulture) : fact.Value),
        Readable);

    private static string Variable(string fact) => Prefix + JsonNamingPolicy.SnakeCaseUpper.ConvertName(fact);

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
