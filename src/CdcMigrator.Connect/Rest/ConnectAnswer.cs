using System.Net;
using System.Text.Json;

namespace CdcMigrator.Connect.Rest;

/// <summary>One answer of Connect: status, and the body where it is JSON.</summary>
internal sealed record ConnectAnswer(HttpStatusCode Status, JsonDocument? Body, string Text, IReadOnlyDictionary<string, string> Sent) : IDisposable
{
    /// <summary>404 in Connect's own words. A 404 of something else at that address has no <c>error_code</c>.</summary>
    public bool IsUnknownConnector => Status == HttpStatusCode.NotFound && Message is not null;

    /// <summary>404 of a worker that does not know the path, as one that is older than the request: in Connect's form, and in the words of its web server.</summary>
    public bool IsUnknownPath => IsUnknownConnector && Message!.StartsWith("HTTP 404", StringComparison.Ordinal);

    /// <summary>Connect's message of an error; null where the body is not Connect's.</summary>
    public string? Message => Body?.RootElement is { ValueKind: JsonValueKind.Object } root
        && root.TryGetProperty("error_code", out _) && root.TryGetProperty("message", out var message)
            ? ConnectorSettings.Scrub(message.GetString() ?? "", Sent)
            : null;

    public void Dispose() => Body?.Dispose();
}
