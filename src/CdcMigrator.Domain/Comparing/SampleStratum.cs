namespace CdcMigrator.Domain.Comparing;

/// <summary>Why a row is in a sample. Rows of the first are there by chance, and only they say how many rows are wrong; the others are where wrong rows are likeliest.</summary>
public enum SampleStratum
{
    /// <summary>Drawn at random.</summary>
    Random,

    /// <summary>At either end of the key.</summary>
    KeyEnds,

    /// <summary>Among the longest values of a column.</summary>
    LongestValues,

    /// <summary>A value at the edge of its type: NULL, zero, empty, least, greatest, infinite, text beyond ASCII.</summary>
    EdgeValues,

    /// <summary>Changed last.</summary>
    ChangedLast,

    /// <summary>Changed about when a lane was taken over: a start, a crash, a lost connection.</summary>
    Restarts,
}
