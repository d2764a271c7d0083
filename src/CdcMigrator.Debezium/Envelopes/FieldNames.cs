using System.Globalization;
using System.Text;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>From a field's name back to the column's.</summary>
internal static class FieldNames
{
    /// <summary>The column a field is of. A name that cannot be traced back comes back as it is.</summary>
    public static string ToColumn(string field, TableRoute route, FieldNameAdjustment adjustment) => adjustment switch
    {
        FieldNameAdjustment.AvroUnicode => route.OrdinalOfSource(field) >= 0 ? field : Unescape(field),
        FieldNameAdjustment.Avro => route.OrdinalOfSource(field) >= 0 ? field : FindSanitized(field, route),
        _ => field,
    };

    /// <summary>Undoes <c>_uXXXX</c>.</summary>
    private static string Unescape(string field)
    {
        var text = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '_' && i + 5 < field.Length && field[i + 1] == 'u'
                && ushort.TryParse(field.AsSpan(i + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                text.Append((char)code);
                i += 5;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }

    /// <summary>The only column whose name becomes the field's when what Avro forbids becomes <c>_</c>.</summary>
    private static string FindSanitized(string field, TableRoute route)
    {
        var candidates = route.SourceColumns.Concat(route.Mapping.Exclude).Where(column => Sanitize(column) == field).Distinct().Take(2).ToList();
        return candidates is [var only] ? only : field;
    }

    private static string Sanitize(string column)
    {
        var text = new StringBuilder(column.Length + 1);
        foreach (var character in column)
        {
            var valid = char.IsAsciiLetterOrDigit(character) || character == '_';
            if (text.Length == 0 && char.IsAsciiDigit(character))
            {
                text.Append('_');
            }

            text.Append(valid ? character : '_');
        }

        return text.ToString();
    }
}
