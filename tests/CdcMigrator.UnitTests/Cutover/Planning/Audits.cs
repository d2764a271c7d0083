using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.UnitTests.Cutover.Planning;

/// <summary>Made-up audits.</summary>
internal static class Audits
{
    /// <summary>A shop: three tables that hang together, a log of events beside them.</summary>
    public static AuditReport Shop { get; } = Of(
        [
            new TableProfile("public.customers", "table") { Rows = 200_000, RowsRead = 200_000, Bytes = 60_000_000, Key = ["id"], Identity = "default", WritesPerSecond = 2, Columns = [Column("id", "bigint", false), new ColumnProfile("email", "text") { LongestBytes = 61, Oddities = new Dictionary<string, long> { [ValueOddity.Padded] = 3 } }] },
            new TableProfile("public.events", "partitioned") { Rows = 12_000_000, RowsRead = 12_000_000, Bytes = 4_000_000_000, Key = ["id", "at"], Identity = "default", WritesPerSecond = 150, Parts = 12, Columns = [Column("id", "bigint", false)] },
            new TableProfile("public.items", "table") { Rows = 3_000_000, RowsRead = 3_000_000, Bytes = 500_000_000, Key = ["order_id", "line"], Identity = "default", WritesPerSecond = 30, Columns = [Column("order_id", "bigint", false), Column("line", "integer", false)] },
            new TableProfile("public.orders", "table") { Rows = 1_000_000, RowsRead = 1_000_000, Bytes = 400_000_000, ToastBytes = 90_000_000, Key = ["id"], Identity = "default", WritesPerSecond = 18, Triggers = ["audit_orders"], Columns = [Column("id", "bigint", false)] },
        ],
        new Finding(Severity.Warning, "trigger", "Triggers of public.orders: audit_orders", "Create them in the target as ordinary triggers") { Table = "public.orders" },
        new Finding(Severity.Warning, "wal-unlimited", "max_slot_wal_keep_size is unlimited", "Watch free space"),
        new Finding(Severity.Info, "padded-text", "Column email of public.customers holds 3 values with white space at an end", "Nothing to do for the move") { Table = "public.customers", Column = "email" })
        with
    {
        ForeignKeys =
            [
                new ForeignKeyProfile("items_order_fk", "public.items", "public.orders") { Orphans = 0, OnDelete = "cascade" },
                new ForeignKeyProfile("orders_customer_fk", "public.orders", "public.customers") { Orphans = 0 },
            ],
        Sequences = [new SequenceProfile("public.orders_id_seq", 1_000_000, 9_223_372_036_854_775_807, 0)],
        Extensions = ["pg_trgm 1.6", "plpgsql 1.0"],
    };

    public static AuditReport Of(IReadOnlyList<TableProfile> tables, params Finding[] findings) => new()
    {
        Migration = "shop",
        At = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero),
        Seconds = 12.3,
        Source = new SourceProfile("postgresql", "15.20", "shop") { Bytes = 5_000_000_000, LogBytesPerSecond = 100_000, WritesPerSecond = 210, Settings = new Dictionary<string, string> { ["wal_level"] = "logical", ["max_slot_wal_keep_size"] = "-1MB" } },
        Tables = tables,
        Findings = findings,
    };

    public static TableProfile Table(string name, long rows, long bytes, double writes = 0) => new(name, "table") { Rows = rows, RowsRead = rows, Bytes = bytes, Key = ["id"], WritesPerSecond = writes };

    private static ColumnProfile Column(string name, string type, bool nullable) => new(name, type) { Nullable = nullable, Min = "1", Max = "1000000" };
}
