using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Connect.Checks;

/// <summary>Values of one setting under which a migration is right; any other value, Debezium's default included, is a finding.</summary>
/// <param name="Setting">Name of the setting.</param>
/// <param name="Default">What Debezium takes where it is not set.</param>
/// <param name="Fine">Values that are right; the first is the one to set.</param>
/// <param name="Severity">Weight of any other value.</param>
/// <param name="Why">What another value does.</param>
internal sealed record SettingRule(string Setting, string Default, string[] Fine, Severity Severity, string Why)
{
    /// <summary>Fine values as a condition, where they cannot be listed.</summary>
    public Func<string, bool>? IsFine { get; init; }

    public Finding? Check(IReadOnlyDictionary<string, string> settings)
    {
        var isSet = settings.TryGetValue(Setting, out var set) && set.Trim().Length > 0;
        var value = isSet ? set!.Trim() : Default;
        if (IsFine?.Invoke(value) ?? Fine.Contains(value, StringComparer.OrdinalIgnoreCase))
        {
            return null;
        }

        var how = isSet ? $"is '{value}'" : value.Length == 0 ? "is not set" : $"is not set, which means '{value}'";
        return new Finding(Severity, CodeOf(Setting), $"Connector setting {Setting} {how}: {Why}", $"Set {Setting} to '{Fine[0]}'");
    }

    /// <summary>Stable code of findings on a setting: <c>connector-decimal-handling-mode</c>.</summary>
    public static string CodeOf(string setting) => "connector-" + setting.Replace('.', '-');
}
