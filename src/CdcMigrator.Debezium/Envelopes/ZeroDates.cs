using System.Text;
using CdcMigrator.Debezium.Logical;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>
/// MariaDB's zero and partial dates arrive as NULL, in a NOT NULL column as its default or 1970-01-01, and as the latter in a timestamp that is
/// streamed (observed). A value that may be one is reselected; what becomes of it is decided there.
/// </summary>
internal static class ZeroDates
{
    public static FieldPlan Mark(FieldPlan field, ConnectSchema? schema, TableRoute route, DebeziumSettings settings)
    {
        var column = route.Target.Columns[field.Ordinal];
        var (epoch, length) = !settings.IsMySqlFamily ? ("", 0) : column.Type.Kind switch
        {
            ColumnKind.Date => ("1970-01-01", 10),
            ColumnKind.Timestamp or ColumnKind.TimestampTz => ("1970-01-01 00:00:00", 19),
            _ => ("", 0),
        };
        if (length == 0)
        {
            return field;
        }

        var isKey = route.Key.Columns.Contains(field.Ordinal);

        // Without a schema nothing says which default the event was written under, and one that the catalog has now may be another.
        var unknown = schema is null ? route.SourceOf(field.Ordinal)?.ZeroDateDefault : null;
        return field with
        {
            SuspectZeroDates = [.. new[] { epoch, isKey && unknown is not null ? Day(unknown, length) : null }.OfType<string>().Select(Encoding.UTF8.GetBytes)],
            SuspectDefault = field.SuspectDefault
                ?? (schema is { Optional: false, Default: { } text } ? Json.JsonValues.DefaultText(text, field.Type, settings) : null),

            // A key cannot be read again: a value that may be a zero date halts there, so the present default has to do.
            AnyValueIsSuspect = field.AnyValueIsSuspect || (unknown is not null && !isKey),
            NullIsSuspect = field.NullIsSuspect || column.NotNull || route.MappingOf(field.Ordinal).AsksForDates,
        };
    }

    /// <summary>A default as far as it is surely written in the value: <c>2000-01-01</c>, <c>2000-01-01 00:00:00</c>.</summary>
    private static string Day(string value, int length) => value[..Math.Min(value.Length, length)];
}
