namespace CdcMigrator.Service.Http;

/// <summary>The status page at <c>/</c>: one embedded file that polls <c>/api/status</c> and loads nothing from anywhere else.</summary>
internal static class StatusPage
{
    private static readonly string Html = Read();

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", context =>
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return context.Response.WriteAsync(Html, context.RequestAborted);
    });

    private static string Read()
    {
        using var stream = typeof(StatusPage).Assembly.GetManifestResourceStream("CdcMigrator.Service.Http.status.html")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
