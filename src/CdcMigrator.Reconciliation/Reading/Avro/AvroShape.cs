namespace CdcMigrator.Reconciliation.Reading.Avro;

/// <summary>How a value of one Avro type lies in bytes.</summary>
internal enum AvroShape
{
    Null,
    Boolean,
    Integer,
    Float,
    Double,
    Bytes,
    Text,
    Fixed,
    Enum,
    Array,
    Map,
    Union,
    Record,
}
