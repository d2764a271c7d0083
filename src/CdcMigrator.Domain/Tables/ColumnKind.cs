namespace CdcMigrator.Domain.Tables;

/// <summary>Families of PostgreSQL types, as far as decoding an event's value depends on them.</summary>
public enum ColumnKind
{
    /// <summary>Anything whose text form is carried as it is: text, varchar, uuid, json, ranges, enums, network types, and so on.</summary>
    Text,

    /// <summary>boolean.</summary>
    Boolean,

    /// <summary>smallint, integer, bigint, oid.</summary>
    Integer,

    /// <summary>real, double precision.</summary>
    Float,

    /// <summary>numeric.</summary>
    Numeric,

    /// <summary>money.</summary>
    Money,

    /// <summary>bytea.</summary>
    Bytes,

    /// <summary>bit(n).</summary>
    Bit,

    /// <summary>bit varying.</summary>
    VarBit,

    /// <summary>date.</summary>
    Date,

    /// <summary>time without time zone.</summary>
    Time,

    /// <summary>time with time zone.</summary>
    TimeTz,

    /// <summary>timestamp without time zone.</summary>
    Timestamp,

    /// <summary>timestamp with time zone.</summary>
    TimestampTz,

    /// <summary>interval.</summary>
    Interval,

    /// <summary>point.</summary>
    Point,

    /// <summary>hstore.</summary>
    Hstore,

    /// <summary>A type Debezium does not know (geometric types but point, composites, multiranges, pg_lsn, …): base64 of its text form.</summary>
    Opaque,

    /// <summary>An array; <see cref="ColumnType.Element"/> says of what.</summary>
    Array,
}
