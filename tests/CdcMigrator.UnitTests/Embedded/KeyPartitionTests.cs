using System.Text;
using CdcMigrator.Embedded.Publishing;

namespace CdcMigrator.UnitTests.Embedded;

public sealed class KeyPartitionTests
{
    /// <summary>Values of Kafka's own test of murmur2 (Utils.murmur2), so that a change of the function cannot go unseen.</summary>
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Partition_is_that_of_Kafkas_Java_producer(string key, int hash) =>
        Assert.Equal((hash & 0x7fffffff) % 4, KeyPartition.Of(Encoding.ASCII.GetBytes(key), 4));

    [Fact]
    public void Keyless_records_share_a_partition() => Assert.Equal(0, KeyPartition.Of([], 4));
}
