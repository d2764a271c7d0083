using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Values brought into their form here, where the database's own functions are not at hand. Pure.</summary>
public static class CanonicalText
{
    /// <summary>A value's text in its column's form: of what the database's SQL has normalised already, the same text.</summary>
    public static string Of(CanonicalForm form, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return form switch
        {
            CanonicalForm.TrimmedNumber => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text,
            CanonicalForm.Unpadded => text.TrimEnd(' '),
            CanonicalForm.Json => CanonicalJson.Of(text),
            _ => text,
        };
    }

    /// <summary>Brings those of a row's values into their form that the database could not.</summary>
    internal static void Normalise(ComparedTable table, Span<string?> row)
    {
        if (table.Hashing == HashPlace.Database)
        {
            return;
        }

        for (var i = 0; i < row.Length; i++)
        {
            if (table.Columns[i].Form == CanonicalForm.Json && row[i] is { } text)
            {
                row[i] = CanonicalJson.Of(text);
            }
        }
    }
}
