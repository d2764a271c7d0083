namespace CdcMigrator.Domain.Auditing;

/// <summary>The server an audit looked at.</summary>
/// <param name="Engine">postgresql, mariadb or mysql.</param>
/// <param name="Version">As the server says it.</param>
/// <param name="Database">The database.</param>
public sealed record SourceProfile(string Engine, string Version, string Database)
{
    /// <summary>Bytes of the whole database; null where they are not known.</summary>
    public long? Bytes { get; init; }

    /// <summary>Bytes of WAL or binlog a second, on average since the server's counters began; of all its databases. Peaks are higher. Null where they are not known.</summary>
    public double? LogBytesPerSecond { get; init; }

    /// <summary>Rows inserted, updated and deleted a second in the whole database (MariaDB, MySQL: on the whole server), on average since the server's counters began. Null where they are not known.</summary>
    public double? WritesPerSecond { get; init; }

    /// <summary>Settings on which capturing changes depends, by name.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
