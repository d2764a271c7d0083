using System.Security.Cryptography;
using System.Text;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Connect;

/// <summary>Names a migration's connector uses, derived from the migration's name: the same every time.</summary>
public static class ConnectorNames
{
    /// <summary>Table of markers and of the lineage heartbeat, captured by every connector: <c>id text primary key, v text</c>.</summary>
    public static TableName FenceTable { get; } = new("cdc_migrator", "fence");

    /// <summary>Debezium's signal table in a PostgreSQL source, captured by its connector: <c>id, type, data</c>.</summary>
    public static TableName SignalTable { get; } = new("cdc_migrator", "signal");

    /// <summary>Id of the fence table's row that carries the source's lineage as <c>system identifier/timeline</c>.</summary>
    public const string HeartbeatRow = "heartbeat";

    /// <summary>Replication slot: <c>cdcm_</c> and the name in what PostgreSQL allows there (lower case, digits, <c>_</c>).</summary>
    public static string Slot(string migration)
    {
        ArgumentException.ThrowIfNullOrEmpty(migration);
        return "cdcm_" + migration.ToLowerInvariant().Replace('-', '_');
    }

    /// <summary>Publication: as the slot.</summary>
    public static string Publication(string migration) => Slot(migration);

    /// <summary>
    /// Text that stands for an unchanged TOAST value. Debezium's own default may well be stored in somebody's column (its manual is
    /// full of it); this one may not, and a restart must not change it.
    /// </summary>
    public static string Placeholder(string migration) => "__cdcm_unavailable_" + Convert.ToHexStringLower(Digest(migration)[..8]);

    /// <summary>Server id under which a MariaDB or MySQL connector joins the source's replicas; unlikely to be anyone else's.</summary>
    internal static int ServerId(string migration) => 100_000_000 + (int)(BitConverter.ToUInt32(Digest(migration), 8) % 1_900_000_000);

    private static byte[] Digest(string migration) => SHA256.HashData(Encoding.UTF8.GetBytes("cdcm " + migration));
}
