using System.Data.Common;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Configuration;

/// <summary>Takes secrets out of settings before they are shown.</summary>
internal static class Redaction
{
    public const string Mark = "***";

    private static readonly string[] SecretWords = ["password", "passwd", "pwd", "secret", "token", "jaas", "pem", "oauthbearer.config", "passphrase", "authorization", "cookie", "apikey", "api-key", "api_key"];

    /// <summary>A connection string with the values of secret keywords replaced.</summary>
    public static string Connection(string connection)
    {
        var builder = new DbConnectionStringBuilder();
        try
        {
            builder.ConnectionString = connection;
        }
        catch (ArgumentException)
        {
            return Mark;
        }

        foreach (var keyword in builder.Keys.Cast<string>().Where(IsSecret).ToList())
        {
            builder[keyword] = Mark;
        }

        return builder.ConnectionString;
    }

    /// <summary>The values of secret keywords of a connection string.</summary>
    public static IReadOnlyList<string> SecretsOf(string connection)
    {
        try
        {
            var builder = new DbConnectionStringBuilder { ConnectionString = connection };
            return [.. builder.Keys.Cast<string>().Where(IsSecret).Select(keyword => Convert.ToString(builder[keyword], System.Globalization.CultureInfo.InvariantCulture)).OfType<string>()];
        }
        catch (ArgumentException)
        {
            return [];
        }
    }

    /// <summary>A setting's value, replaced where its name says it is a secret.</summary>
    public static string Setting(string name, string value) => IsSecret(name) ? Mark : value;

    /// <summary>An address without the user and password in it.</summary>
    public static string Url(Uri url) => url.UserInfo.Length == 0
        ? url.OriginalString
        : new UriBuilder(url) { UserName = Mark, Password = "" }.Uri.ToString();

    /// <summary>A text of a hook: what is written out under a name that says it is a secret, instead of referred to, is one.</summary>
    public static HookText Hidden(string name, HookText text) =>
        text.Secrets.Count == 0 && text.Value.Length > 0 && IsSecret(name) ? new HookText(text.Value, Mark, [text.Value]) : text;

    private static bool IsSecret(string name) => SecretWords.Any(word => name.Replace(" ", "", StringComparison.Ordinal).Contains(word, StringComparison.OrdinalIgnoreCase));
}
