namespace CdcMigrator.Embedded;

/// <summary>What an embedded log does when it has no durable state yet.</summary>
public enum EmbeddedLogStart
{
    /// <summary>Publish every row of the tables, then their changes. The target's tables must be empty.</summary>
    Snapshot,

    /// <summary>Publish nothing and keep the slot moving, until <see cref="EmbeddedLog.ActivateAsync"/>. For the stream of the way back, whose target already holds the rows.</summary>
    Passive,
}
