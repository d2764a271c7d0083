namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>One column of the type zoo: declared on both sides, with the values it is filled with and the text by which both sides are compared.</summary>
/// <param name="Name">Name.</param>
/// <param name="Source">MariaDB's declaration.</param>
/// <param name="Target">PostgreSQL's declaration.</param>
/// <param name="Values">SQL of the values, one a row; the last is repeated where another column has more.</param>
internal sealed record ZooColumn(string Name, string Source, string Target, params string[] Values)
{
    /// <summary>Text of the value in MariaDB's SQL; <c>{0}</c> is the column.</summary>
    public string SourceText { get; init; } = "cast({0} as char)";

    /// <summary>Text of the value in PostgreSQL's SQL.</summary>
    public string TargetText { get; init; } = "{0}::text";

    /// <summary>What the migration file says of it, in YAML's flow style; empty where nothing.</summary>
    public string Mapping { get; init; } = "";

    public string SourceSql => string.Format(System.Globalization.CultureInfo.InvariantCulture, SourceText, $"`{Name}`");

    public string TargetSql => string.Format(System.Globalization.CultureInfo.InvariantCulture, TargetText, $"\"{Name}\"");

    public string Value(int row) => Values[Math.Min(row, Values.Length - 1)];
}
