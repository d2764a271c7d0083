namespace CdcMigrator.Service.Api;

/// <summary>A table in <see cref="StatusReport"/>. What has not been verified is null.</summary>
/// <param name="Source">Table in the source.</param>
/// <param name="Target">Table in the target.</param>
/// <param name="Verdict">Equal, InFlight, Suspended, Mismatch, Unverifiable or Error; null before the first verification.</param>
/// <param name="VerifiedAt">When the verdict was reached.</param>
/// <param name="RowsSource">Rows counted in the source.</param>
/// <param name="RowsTarget">Rows counted in the target.</param>
/// <param name="DirtyKeys">Keys changed since they were last verified.</param>
public sealed record TableReport(
    string Source, string Target, string? Verdict, DateTimeOffset? VerifiedAt, long? RowsSource, long? RowsTarget, long? DirtyKeys);
