namespace CdcMigrator.Streaming.Inspection;

/// <summary>A topic as the broker describes it.</summary>
/// <param name="Name">Topic name.</param>
/// <param name="Exists">Whether the broker has it.</param>
/// <param name="TopicId">Its id, which a topic created again does not share; empty where the broker gives none.</param>
/// <param name="Partitions">Number of partitions; 0 where it does not exist.</param>
public sealed record TopicDescription(string Name, bool Exists, string TopicId, int Partitions);
