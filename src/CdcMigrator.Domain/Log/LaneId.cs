namespace CdcMigrator.Domain.Log;

/// <summary>One Kafka partition, and so one ordered stream of changes: a lane.</summary>
/// <param name="Topic">Topic as the broker spells it.</param>
/// <param name="Partition">Partition number, from 0.</param>
public readonly record struct LaneId(string Topic, int Partition)
{
    /// <summary><c>topic[partition]</c>, the form used in messages and logs.</summary>
    public override string ToString() => $"{Topic}[{Partition}]";
}
