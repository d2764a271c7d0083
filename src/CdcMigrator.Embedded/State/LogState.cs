namespace CdcMigrator.Embedded.State;

/// <summary>Durable state of an embedded log: one row in its target.</summary>
internal sealed record LogState
{
    /// <summary>Phase.</summary>
    public required EmbeddedLogPhase Phase { get; init; }

    /// <summary>The life that owns the row.</summary>
    public required string Incarnation { get; init; }

    /// <summary>Slot and publication.</summary>
    public required string Slot { get; init; }

    /// <summary>System identifier of the source.</summary>
    public required string SystemIdentifier { get; init; }

    /// <summary>Timeline of the source.</summary>
    public required long Timeline { get; init; }

    /// <summary>Source tables whose rows have been, or are being, copied.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>
    /// Upper bound of what the slot was told: written before the slot is. A slot that is further on was confirmed by someone else,
    /// or this database was restored to an earlier state. 0 before the slot exists.
    /// </summary>
    public ulong ConfirmedLsn { get; init; }

    /// <summary>Transactions whose commit lies below are not published; 0 unless the log was activated.</summary>
    public ulong ActiveFrom { get; init; }
}
