using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>A column as a sample looks at its values: where they are long, and where they are at the edge of the type. Pure.</summary>
/// <param name="column">The source's column.</param>
internal sealed class SampledValue(SourceColumn column)
{
    /// <summary>Texts longer than this are not looked into.</summary>
    private const int LookedInto = 8192;

    private readonly string name = $"t.{MariaDbConnections.Quote(column.Name)}";

    /// <summary>The column, of a table called <c>t</c>.</summary>
    public string Sql => name;

    /// <summary>Bytes of a value; NULL where all are of about one length.</summary>
    public string Size => column.IsText || IsBytes || column.Type is "json" or "decimal" ? $"length({name})" : "null";

    /// <summary>Whether the least and greatest value say something: numbers, dates, times.</summary>
    public bool IsOrdered => IsNumber || column.Type is "date" or "datetime" or "timestamp" or "time" or "year";

    /// <summary>What numbers and times are ordered by; NULL for other types.</summary>
    public string Order => IsOrdered ? $"{name} + 0e0" : "null";

    /// <summary>A small number for each sort of edge a value is at; NULL for any other value.</summary>
    public string Edge => $"case when {name} is null then 1 {EdgesOfType} end";

    private bool IsNumber => column.Type is "tinyint" or "smallint" or "mediumint" or "int" or "bigint" or "decimal" or "float" or "double";

    private bool IsBytes => column.Type is "binary" or "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob";

    private string EdgesOfType => column.Type switch
    {
        // An enum's invalid value has the number 0 too, and so have dates of zeros.
        _ when IsNumber || column.Type is "enum" or "set" or "year" => $"when {name} + 0 = 0 then 2",
        "date" or "datetime" or "timestamp" => $"when {name} + 0 = 0 then 2 when month({name}) = 0 or dayofmonth({name}) = 0 then 3",
        "time" => $"when {name} + 0 < 0 then 2",
        _ when IsBytes => $"when length({name}) = 0 then 2",
        _ when column.IsText => $"""
            when length({name}) = 0 then 2 when length({name}) > {LookedInto} then null when length(convert({name} using utf8mb4)) <> char_length({name}) then 3
            when locate('\\', {name}) > 0 then 4 when locate('\n', {name}) > 0 or locate('\t', {name}) > 0 then 5 when right({name}, 1) = ' ' then 6
            """,
        _ => "",
    };
}
