namespace CdcMigrator.Streaming.Consuming;

/// <summary>What to do with a record at an offset.</summary>
internal enum OffsetVerdict
{
    /// <summary>It is the next one.</summary>
    Take,

    /// <summary>It was taken already: fetched before a seek. Drop it.</summary>
    Stale,

    /// <summary>Offsets are missing before it. Drop it, check the log's start, seek back and see whether the broker again starts here.</summary>
    Verify,

    /// <summary>Offsets are missing before it, and the broker was asked again: they hold control or aborted records.</summary>
    TakeAfterGap,
}
