namespace CdcMigrator.Domain.Migrations;

/// <summary>The service's HTTP endpoint.</summary>
public sealed record ServiceSection
{
    /// <summary>Address to listen on; port 0 lets the system choose.</summary>
    public Uri Url { get; init; } = new("http://127.0.0.1:8080");
}
