namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>Families of types by how a key's text is made of an event's value.</summary>
internal enum KeyFamily
{
    /// <summary>None that is read here: its text cannot be made with certainty.</summary>
    Unknown,

    /// <summary>Whole numbers.</summary>
    Integer,

    /// <summary>MariaDB's and MySQL's <c>bigint unsigned</c>.</summary>
    UnsignedBig,

    /// <summary>boolean.</summary>
    Boolean,

    /// <summary>Types whose events carry the text as it is.</summary>
    Text,

    /// <summary>An enum of MariaDB or MySQL, whose streamed labels have commas escaped.</summary>
    Labels,

    /// <summary>MariaDB's uuid: a streamed one that ends in a zero byte has it moved to its front.</summary>
    MovedUuid,

    /// <summary>numeric.</summary>
    Numeric,

    /// <summary>real.</summary>
    Real,

    /// <summary>double precision.</summary>
    Double,

    /// <summary>date.</summary>
    Date,

    /// <summary>time without time zone.</summary>
    Time,

    /// <summary>timestamp without time zone.</summary>
    Timestamp,

    /// <summary>timestamp with time zone.</summary>
    TimestampTz,

    /// <summary>bytea.</summary>
    Bytes,

    /// <summary>bit(n).</summary>
    Bits,
}
