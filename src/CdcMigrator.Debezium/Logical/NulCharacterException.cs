namespace CdcMigrator.Debezium.Logical;

/// <summary>A text holds U+0000, which MariaDB can store and PostgreSQL cannot.</summary>
internal sealed class NulCharacterException() : FormatException("the text holds a NUL character (U+0000), which PostgreSQL cannot store");
