using CdcMigrator.Domain.Auditing;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>What an audit must know of the server before it reads tables, and what the report says of it.</summary>
/// <param name="Version">As <c>server_version_num</c>.</param>
/// <param name="IsUtf8">Its encoding is UTF8.</param>
/// <param name="CountingSeconds">Since when its counters of writes count.</param>
/// <param name="Profile">For the report.</param>
internal sealed record ServerFacts(int Version, bool IsUtf8, double CountingSeconds, SourceProfile Profile);
