using CdcMigrator.Streaming;
using CdcMigrator.Streaming.Consuming;
using CdcMigrator.Streaming.Following;
using Confluent.Kafka;

namespace CdcMigrator.UnitTests.Streaming;

public sealed class ClientSettingsTests
{
    private static readonly StreamingOptions Options = new()
    {
        BootstrapServers = "b:1",
        Group = "g",
        Topics = ["t"],
        Client = new Dictionary<string, string>
        {
            ["auto.offset.reset"] = "latest",
            ["enable.auto.offset.store"] = "true",
            ["isolation.level"] = "read_uncommitted",
            ["security.protocol"] = "SSL",
            ["session.timeout.ms"] = "7000",
            ["heartbeat.interval.ms"] = "1000",
            ["group.protocol"] = "classic",
        },
    };

    [Fact]
    public void What_correctness_rests_on_cannot_be_set_by_the_user()
    {
        var config = ClientSettings.ForConsumer(Options, GroupProtocol.Classic);
        Assert.Equal(AutoOffsetReset.Error, config.AutoOffsetReset);
        Assert.False(config.EnableAutoOffsetStore);
        Assert.False(config.AllowAutoCreateTopics);
        Assert.Equal(IsolationLevel.ReadCommitted, config.IsolationLevel);
        Assert.Equal(SecurityProtocol.Ssl, config.SecurityProtocol);
        Assert.Equal(7000, config.SessionTimeoutMs);
    }

    [Fact]
    public void A_follower_joins_no_group_commits_nothing_and_guesses_no_offset()
    {
        var config = ClientSettings.ForFollower(new LogFollowerOptions { BootstrapServers = "b:1", Client = Options.Client, BufferBytes = 8 << 20 });
        Assert.Equal(AutoOffsetReset.Error, config.AutoOffsetReset);
        Assert.False(config.EnableAutoCommit);
        Assert.False(config.EnableAutoOffsetStore);
        Assert.False(config.AllowAutoCreateTopics);
        Assert.True(config.EnablePartitionEof);
        Assert.Equal(IsolationLevel.ReadCommitted, config.IsolationLevel);
        Assert.Equal(SecurityProtocol.Ssl, config.SecurityProtocol);
        Assert.Equal(8 << 10, config.QueuedMaxMessagesKbytes);
        Assert.Null(config.SessionTimeoutMs);
        Assert.Null(config.GroupProtocol);
    }

    [Fact]
    public void The_consumer_protocol_gets_no_setting_it_refuses()
    {
        var config = ClientSettings.ForConsumer(Options, GroupProtocol.Consumer);
        Assert.Null(config.SessionTimeoutMs);
        Assert.Null(config.HeartbeatIntervalMs);
        Assert.Null(config.PartitionAssignmentStrategy);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(ClientSettings.ForConsumer(Options with { Client = Options.Client.Where(pair => pair.Key != "security.protocol").ToDictionary() }, GroupProtocol.Consumer)).Build();
        Assert.Equal(GroupProtocol.Consumer, config.GroupProtocol);
    }

    [Fact]
    public void The_inspector_shares_the_security_settings_but_not_those_of_consumers()
    {
        var config = ClientSettings.ForAdmin("b:1", Options.Client);
        Assert.Equal(SecurityProtocol.Ssl, config.SecurityProtocol);
        Assert.DoesNotContain(config, pair => pair.Key.StartsWith("group", StringComparison.Ordinal) || pair.Key.StartsWith("auto", StringComparison.Ordinal));
    }

    [Fact]
    public void A_broker_without_the_consumer_protocol_is_recognised()
    {
        Assert.True(GroupErrors.IsProtocolUnsupported(new Error(ErrorCode.UnsupportedVersion, "x", true)));
        Assert.True(GroupErrors.IsProtocolUnsupported(new Error(ErrorCode.Local_UnsupportedFeature, "x", true)));
        Assert.False(GroupErrors.IsProtocolUnsupported(new Error(ErrorCode.FencedInstanceId, "fenced", true)));
    }
}
