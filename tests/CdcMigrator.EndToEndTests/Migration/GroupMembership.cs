namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>How the service processes of a test are members of their consumer group; <c>log.client</c> of the migration file.</summary>
internal enum GroupMembership
{
    /// <summary>The one process has a name, by which the broker knows it again when it comes back after a kill: it owns its lanes at once.</summary>
    Named,

    /// <summary>The classic protocol with the shortest session the broker allows: another process takes the lanes of a dead one over after six seconds.</summary>
    ShortSession,

    /// <summary>What the service chooses by itself: the broker's protocol, in which a dead process keeps its lanes for 45 seconds.</summary>
    Default,
}
