namespace CdcMigrator.Debezium.Logical;

/// <summary>Primitive of a Connect schema, as far as decoding tells them apart.</summary>
internal enum ConnectKind
{
    /// <summary>boolean.</summary>
    Boolean,

    /// <summary>int8 to int64.</summary>
    Integer,

    /// <summary>float32, float64.</summary>
    Float,

    /// <summary>string.</summary>
    Text,

    /// <summary>bytes.</summary>
    Bytes,

    /// <summary>array.</summary>
    Array,

    /// <summary>map.</summary>
    Map,

    /// <summary>struct.</summary>
    Struct,
}
