namespace CdcMigrator.Debezium;

/// <summary>Debezium's <c>interval.handling.mode</c>.</summary>
public enum IntervalHandlingMode
{
    /// <summary>Microseconds with months of 30.4375 days. Debezium's default; not faithful.</summary>
    Numeric,

    /// <summary>ISO-8601 text: the faithful one.</summary>
    Text,
}
