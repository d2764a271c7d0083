namespace CdcMigrator.Debezium.Envelopes;

/// <summary>The parts of a value that matter before its row is decoded. Reused for every record.</summary>
internal sealed class Envelope
{
    /// <summary>The <c>source</c> block.</summary>
    public SourceBlock Source { get; } = new();

    /// <summary><c>op</c>; 0 where the value has none.</summary>
    public byte Operation { get; set; }

    /// <summary>Where <c>after</c> begins in the record's value; -1 where it is absent or null.</summary>
    public int AfterStart { get; set; }

    /// <summary>Length of <c>after</c> in bytes.</summary>
    public int AfterLength { get; set; }

    /// <summary>Where <c>before</c> begins in the record's value; -1 where it is absent or null.</summary>
    public int BeforeStart { get; set; }

    /// <summary>Length of <c>before</c> in bytes.</summary>
    public int BeforeLength { get; set; }

    /// <summary><c>ts_ms</c> of the envelope, the connector's clock; 0 where absent.</summary>
    public long TimestampMs { get; set; }

    /// <summary>A member of transaction records (<c>status</c>) was there.</summary>
    public bool HasStatus { get; set; }

    /// <summary>A member of schema changes (<c>ddl</c>, <c>tableChanges</c>) was there.</summary>
    public bool HasDdl { get; set; }

    /// <summary>A <c>source</c> block was there.</summary>
    public bool HasSource { get; set; }

    /// <summary>The value is a JSON null: a tombstone, written by a converter that wraps it.</summary>
    public bool IsNull { get; set; }

    /// <summary>Forgets the former record.</summary>
    public void Clear()
    {
        Source.Clear();
        Operation = 0;
        AfterStart = BeforeStart = -1;
        AfterLength = BeforeLength = 0;
        TimestampMs = 0;
        HasStatus = HasDdl = HasSource = IsNull = false;
    }
}
