namespace CdcMigrator.Debezium.Avro;

/// <summary>How a value is laid out in Avro's binary.</summary>
internal enum AvroKind
{
    /// <summary>No bytes.</summary>
    Null,

    /// <summary>One byte.</summary>
    Boolean,

    /// <summary>int or long: a zigzag varint.</summary>
    Integer,

    /// <summary>Four bytes.</summary>
    Float,

    /// <summary>Eight bytes.</summary>
    Double,

    /// <summary>Length and bytes.</summary>
    Bytes,

    /// <summary>Length and UTF-8.</summary>
    Text,

    /// <summary>As many bytes as the schema says.</summary>
    Fixed,

    /// <summary>A symbol's index.</summary>
    Enum,

    /// <summary>Its fields one after the other.</summary>
    Record,

    /// <summary>Blocks of items.</summary>
    Array,

    /// <summary>Blocks of keys and values.</summary>
    Map,

    /// <summary>A branch's index and its value.</summary>
    Union,
}
