using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Status;
using CdcMigrator.Service.Configuration;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.UnitTests.Service;

/// <summary>A migration at made-up moments.</summary>
internal static class Scene
{
    public static MigrationDefinition Definition { get; } = MigrationFile.Parse(
        """
        migration: shop
        source: { connection: "Host=a;Database=shop" }
        target: { connection: "Host=b;Database=shop" }
        log: { bootstrapServers: "k:9092" }
        tables: [ public.orders, { source: public.customers, target: crm.customers } ]
        """,
        _ => null).Definition!;

    public static Fault UnknownColumn { get; } = new(FaultKind.Poison, "unknown-column", "column late of public.orders is not in the target", "Add the column to the target")
    {
        Lane = new LaneId("shop.public.orders", 1),
        Offset = 150,
        Table = "public.orders",
        Key = "{\"id\": 7}",
    };

    public static LaneStatus Lane(string table, int partition, LaneState state, long next, long end, double lagSeconds = 0, Fault? fault = null) => new()
    {
        Lane = new LaneId($"shop.public.{table}", partition),
        State = state,
        NextOffset = next,
        EndOffset = end,
        LagTime = TimeSpan.FromSeconds(lagSeconds),
        Fault = fault,
    };

    public static RuntimeStatus Running(params LaneStatus[] lanes) => new()
    {
        Phase = RuntimePhase.Running,
        Pipeline = new PipelineStatus { Lanes = lanes, Applied = new ApplyCounts(10, 20, 3, 1000, 5, 2) },
        Faults = [.. lanes.Select(lane => lane.Fault).OfType<Fault>()],
        Elsewhere = new OtherLanes(0, 0),
    };
}
