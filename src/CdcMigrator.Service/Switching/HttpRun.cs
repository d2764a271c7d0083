using System.Globalization;
using System.Net.Mime;
using System.Text;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Service.Switching;

/// <summary>Sends a hook's request. The same attempt, moment and hook have the same <c>Idempotency-Key</c>, so that a receiver can know a repeat.</summary>
internal static class HttpRun
{
    /// <summary>Most bytes of an answer that are read.</summary>
    private const int LongestAnswer = 64 << 10;

    public static async Task<HookRun> RunAsync(HttpClient client, HttpHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(hook.Timeout);
        var output = new OutputTail(hook.Secrets);
        try
        {
            using var request = Request(hook, moment, context);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            await ReadAsync(answer, output, limit.Token);
            var status = (int)answer.StatusCode;
            var expected = hook.Statuses.Count == 0 ? answer.IsSuccessStatusCode : hook.Statuses.Contains(status);
            return new HookRun(expected ? null : "hook-failed", string.Create(CultureInfo.InvariantCulture, $"HTTP {status}"), output.ToString());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new HookRun("hook-timeout", $"no answer within {Durations.Format(hook.Timeout)}", output.ToString());
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            output.Add(Encoding.UTF8.GetBytes(exception.Message));
            return new HookRun("hook-unreachable", "no answer", output.ToString());
        }
    }

    private static HttpRequestMessage Request(HttpHook hook, HookMoment moment, HookContext context)
    {
        var request = new HttpRequestMessage(HttpMethod.Parse(hook.Method), HookTemplate.FillUrl(hook.Url.Value, context, moment));
        if (HookByHand.BodyOf(hook, hook.Body?.Value, moment, context) is { } body)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            Add("Content-Type", MediaTypeNames.Application.Json);
        }

        Add("Idempotency-Key", Uri.EscapeDataString($"{context.Token}-{moment}-{hook.Name}"));
        foreach (var (name, text) in hook.Headers)
        {
            Send(name, HookTemplate.Fill(text.Value, context, moment));
        }

        return request;

        void Add(string name, string value)
        {
            if (!hook.Headers.Keys.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                Send(name, value);
            }
        }

        // Some header fields belong to the body, by HTTP's own division.
        void Send(string name, string value) => _ = request.Headers.TryAddWithoutValidation(name, value) || request.Content?.Headers.TryAddWithoutValidation(name, value) == true;
    }

    private static async Task ReadAsync(HttpResponseMessage answer, OutputTail output, CancellationToken cancellationToken)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var part = new byte[4096];
        for (var total = 0; total < LongestAnswer && await stream.ReadAsync(part, cancellationToken) is var read and > 0; total += read)
        {
            output.Add(part.AsSpan(0, read));
        }
    }
}
