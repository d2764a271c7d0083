namespace CdcMigrator.Debezium;

/// <summary>Debezium's <c>decimal.handling.mode</c>.</summary>
public enum DecimalHandlingMode
{
    /// <summary>Unscaled bytes with the scale in the schema. Debezium's default.</summary>
    Precise,

    /// <summary>Text: the faithful one.</summary>
    Text,

    /// <summary>Binary floating point; digits are lost.</summary>
    Double,
}
