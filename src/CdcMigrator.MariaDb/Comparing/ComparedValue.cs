using CdcMigrator.Domain.Faults;
using CdcMigrator.MariaDb.Values;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Comparing;

/// <summary>One compared column of a MariaDB table, read as the text its target column would have.</summary>
/// <param name="value">The column's way to PostgreSQL.</param>
internal sealed class ComparedValue(SourceValue value)
{
    /// <summary>Name in the source as SQL, of a table called <c>t</c>.</summary>
    public string Name => $"t.{Connections.MariaDbConnections.Quote(value.Column.Name)}";

    /// <summary>What to select.</summary>
    public string Sql => value.Sql;

    /// <summary>A key's text as SQL of the column's type.</summary>
    public string Literal(string text) => value.Literal(text);

    /// <summary>The text; of a value the target cannot hold one no value has there, for the row cannot be there either.</summary>
    public string? Read(MySqlDataReader reader, int ordinal)
    {
        try
        {
            return value.Read(reader, ordinal);
        }
        catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Poison)
        {
            return $"\0{exception.Fault.Code}";
        }
    }
}
