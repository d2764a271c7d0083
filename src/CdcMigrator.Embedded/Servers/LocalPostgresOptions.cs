namespace CdcMigrator.Embedded.Servers;

/// <summary>How a scratch PostgreSQL server is started.</summary>
public sealed record LocalPostgresOptions
{
    /// <summary>Server programs; null takes the oldest found.</summary>
    public PostgresInstallation? Installation { get; init; }

    /// <summary>Folder for data and log; null makes a temporary one that is removed on dispose. A folder that holds a cluster is started as it is.</summary>
    public string? Directory { get; init; }

    /// <summary>TCP port on 127.0.0.1; 0 lets the system choose.</summary>
    public int Port { get; init; }

    /// <summary>Whether commits wait for the disk. Off is safe against a killed process, not against a power cut.</summary>
    public bool Fsync { get; init; }

    /// <summary>Further settings, as in postgresql.conf.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
