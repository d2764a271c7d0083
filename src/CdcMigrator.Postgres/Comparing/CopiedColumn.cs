using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>A column as it is read for sums: its value in binary where its text is made here, else as the text its type's output function makes.</summary>
internal sealed class CopiedColumn
{
    private readonly Kind kind;

    /// <param name="column">The column.</param>
    /// <param name="name">Its name as SQL.</param>
    /// <param name="type">Its type on this side, as SQL spells it.</param>
    public CopiedColumn(ComparedColumn column, string name, string type)
    {
        kind = column.Form == CanonicalForm.Utc ? Kind.Timestamp : type switch
        {
            "smallint" or "integer" or "bigint" => Kind.Integer,
            "numeric" => Kind.Numeric,
            "boolean" => Kind.Boolean,

            // As it is spelled only where forms make that no difference.
            "double precision" when column.Form == CanonicalForm.Double => Kind.Double,
            "uuid" => Kind.Uuid,
            "date" => Kind.Date,
            "timestamp without time zone" => Kind.Timestamp,
            "timestamp with time zone" => Kind.TimestampTz,
            _ => column.Form == CanonicalForm.TrimmedNumber ? Kind.Numeric : Kind.Text,
        };
        Sql = kind switch
        {
            Kind.Timestamp => $"{name}::timestamp",
            Kind.Integer => $"{name}::bigint",
            Kind.Numeric => $"{name}::numeric",
            Kind.Text when type is "text" or "character varying" or "json" or "jsonb" or "real" or "double precision" or "bytea" => $"{name}::text",

            // A cast to text is not what is printed of every type.
            Kind.Text => $"case when {name} is not null then pg_catalog.concat_ws('', {name}) end",
            _ => $"{name}::{type}",
        };
    }

    private enum Kind
    {
        Text,
        Integer,
        Numeric,
        Boolean,
        Double,
        Uuid,
        Date,
        Timestamp,
        TimestampTz,
    }

    /// <summary>What to select.</summary>
    public string Sql { get; }

    /// <summary>Adds a value, as COPY's binary format has it, to a row.</summary>
    public void Add(ReadOnlySpan<byte> value, RowBytes row)
    {
        switch (kind)
        {
            case Kind.Text:
                row.Add(value);
                return;
            case Kind.Boolean:
                row.Add(value[0] != 0 ? "t"u8 : "f"u8);
                return;
            case Kind.Numeric:
                var size = BinaryText.SizeOfNumeric(value);
                Span<byte> number = size <= BinaryText.MostBytes ? stackalloc byte[BinaryText.MostBytes] : new byte[size];
                row.Add(number[..BinaryText.OfNumeric(value, number)]);
                return;
        }

        Span<byte> text = stackalloc byte[BinaryText.MostBytes];
        row.Add(text[..(kind switch
        {
            Kind.Integer => BinaryText.OfInteger(value, text),
            Kind.Double => BinaryText.OfDouble(value, text),
            Kind.Uuid => BinaryText.OfUuid(value, text),
            Kind.Date => BinaryText.OfDate(value, text),
            _ => BinaryText.OfTimestamp(value, kind == Kind.TimestampTz, text),
        })]);
    }
}
