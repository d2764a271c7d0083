using System.Text.Encodings.Web;
using System.Text.Json;

namespace CdcMigrator.Connect;

/// <summary>Text forms of a connector's settings.</summary>
public static class ConnectorSettings
{
    private const string Hidden = "***";

    /// <summary>As JSON the way <c>PUT /connectors/{name}/config</c> takes it, in the given order. Holds passwords where the settings do.</summary>
    public static string ToJson(IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        using var buffer = new MemoryStream();
        // Relaxed: quotes and arrows of a heartbeat query stay readable; nothing puts this text into HTML.
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in settings)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    /// <summary>The same settings with every password, secret and token replaced by <c>***</c>; references to a config provider stay.</summary>
    public static IReadOnlyDictionary<string, string> Redacted(IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var shown = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in settings)
        {
            shown[key] = IsSecret(key, value) ? Hidden : value;
        }

        return shown;
    }

    /// <summary>Replaces the values of secret settings in a text somebody else wrote (Connect repeats values in its messages).</summary>
    internal static string Scrub(string text, IReadOnlyDictionary<string, string> settings)
    {
        foreach (var (key, value) in settings)
        {
            if (value.Length > 0 && IsSecret(key, value))
            {
                text = text.Replace(value, Hidden, StringComparison.Ordinal);
            }
        }

        return text;
    }

    /// <summary>Whether a setting may not be shown.</summary>
    internal static bool IsSecret(string key, string value) =>
        !(value.StartsWith("${", StringComparison.Ordinal) && value.EndsWith('}'))
        && (Names(key, "password") || Names(key, "secret") || Names(key, "token") || Names(key, "jaas.config") || Names(key, "user.info") || Names(key, "private.key"));

    private static bool Names(string key, string part) => key.Contains(part, StringComparison.OrdinalIgnoreCase);
}
