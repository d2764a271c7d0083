namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>One value of a record's key as it was spelled.</summary>
internal readonly ref struct KeyValue
{
    /// <summary>How it was spelled.</summary>
    public KeyValueKind Kind { get; init; }

    /// <summary>Digits, text or bytes.</summary>
    public ReadOnlySpan<byte> Bytes { get; init; }

    /// <summary>A whole number; 1 for true.</summary>
    public long Integer { get; init; }

    /// <summary>A float or double.</summary>
    public double Real { get; init; }
}
