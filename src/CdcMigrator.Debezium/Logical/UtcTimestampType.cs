namespace CdcMigrator.Debezium.Logical;

/// <summary>
/// MariaDB's datetime (an integer) and timestamp (text in UTC) for either of PostgreSQL's timestamp types. Without schemas nothing but the value
/// says which it is. A datetime in a timestamptz is taken as UTC, as sessions of the applier do.
/// </summary>
internal sealed class UtcTimestampType(TimeUnit unit) : LogicalType
{
    private readonly TimestampType plain = new(unit);

    public override Outcome FromInteger(long value, ValueWriter writer) => plain.FromInteger(value, writer);

    public override Outcome FromText(ReadOnlySpan<byte> utf8, ValueWriter writer) => ZonedTimestampType.Instance.FromText(utf8, writer);
}
