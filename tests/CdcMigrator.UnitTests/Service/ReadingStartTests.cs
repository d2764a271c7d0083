using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Verifying;
using CdcMigrator.Streaming.Inspection;

namespace CdcMigrator.UnitTests.Service;

/// <summary>Where the reconciler's reader begins after a restart.</summary>
public sealed class ReadingStartTests
{
    private static readonly TableState Fresh = new() { Table = new TableName("public", "t") };
    private static readonly TableState Covered = Fresh with { Covered = true, VerifiedOffsets = new Dictionary<int, long> { [0] = 50 } };
    private static readonly TableState HalfWay = Fresh with { Cursor = new RowKey("7"), VerifiedOffsets = new Dictionary<int, long> { [0] = 50 } };

    public static TheoryData<TableState, int, LogRange, long, long?> Cases => new()
    {
        // Nothing is known: from where the target is, within what the log has.
        { Fresh, 0, new LogRange(0, 100), 70, 70 },
        { Fresh, 0, new LogRange(80, 100), 70, 80 },
        { Fresh, 0, new LogRange(0, 60), 70, 60 },

        // From the first change that is not verified, applied or not.
        { Covered, 0, new LogRange(0, 100), 70, 50 },
        { Covered, 0, new LogRange(0, 100), 30, 30 },
        { Covered, 0, new LogRange(50, 50), 50, 50 },

        // Gone from the log, or another log.
        { Covered, 0, new LogRange(51, 100), 70, null },
        { Covered, 0, new LogRange(0, 49), 49, null },

        // A partition that came up since: everything in it, if it is still there.
        { Covered, 1, new LogRange(0, 100), 70, 0 },
        { Covered, 1, new LogRange(3, 100), 70, null },
        { HalfWay, 1, new LogRange(0, 100), 70, 0 },
        { HalfWay, 0, new LogRange(0, 100), 70, 50 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_change_that_is_not_verified_is_met_again(TableState kept, int partition, LogRange range, long applied, long? expected) =>
        Assert.Equal(expected, ReadingStart.Of(kept, partition, range, applied));
}
