using System.Globalization;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Tables;
using Npgsql;
using NpgsqlTypes;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// One side's rows of a compared table as SQL. The canonical text of a row is
/// <c>v1|…|vn|l1|…|lk|b</c>: the output text of every value that is not NULL; the octet length of every free text but one; a number whose bits say which columns are NULL
/// (none where no column may be).
/// <para>
/// No two rows have the same text. Read from the right: <c>b</c> is the digits behind the last separator, and tells which values are there; the lengths are as many numbers
/// as there are free texts but one, whatever the row. Of the values, those that are not free text hold no separator and end at the next one; free texts with a
/// length end where it says. So all in front of the one free text without a length are read from the left, all behind it from the right, and it is what
/// remains. NULL is not the empty text, for <c>b</c> differs. Parts of more than ninety columns are joined by themselves first; each has a known number of values, so
/// the same reading holds within and between them.
/// </para>
/// </summary>
internal sealed class RowSql
{
    private const int MostArguments = 90;
    private const int BitsOfNumber = 62;
    private readonly ComparedTable table;
    private readonly bool ofSource;
    private readonly HashSql hashes;

    /// <param name="table">The table.</param>
    /// <param name="ofSource">Which side's names and types to use.</param>
    /// <param name="hashes">How rows are hashed; null for the one way in use.</param>
    public RowSql(ComparedTable table, bool ofSource, HashSql? hashes = null)
    {
        this.table = table;
        this.ofSource = ofSource;
        this.hashes = hashes ?? HashSql.InUse;
        Values = [.. table.Columns.Select(Value)];
        Key = [.. table.Key.Select(ordinal => Values[ordinal])];
        Text = RowText();
    }

    /// <summary>The table's name.</summary>
    public TableName Name => ofSource ? table.Source : table.Target;

    /// <summary>The table, as <c>t</c>.</summary>
    public string From => $"{Name.Sql} as t";

    /// <summary>Every column's value in its form, to be read as output text.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>Every column as it is read for sums, to be brought into its form here.</summary>
    public IReadOnlyList<CopiedColumn> Copied => [.. table.Columns.Select(column => new CopiedColumn(column, NameOf(column), TypeOf(column)))];

    /// <summary>Those of the key.</summary>
    public IReadOnlyList<string> Key { get; }

    /// <summary>The canonical text.</summary>
    public string Text { get; }

    /// <summary>Its hash.</summary>
    public string Hash => hashes.Row(this);

    /// <summary>The sum of such hashes, as text.</summary>
    public string Sum(string hash) => $"{hashes.Sum(hash)}::text";

    /// <summary>Hash of a row's key.</summary>
    public string KeyHash => $"pg_catalog.hashtextextended({(Key.Count == 0 ? Text : Joined(Key))} collate \"C\", 11)";

    /// <summary>Number of the bucket a row falls into; by its key, so that a row that differs falls into the same on both sides.</summary>
    public string Bucket(int buckets) => $"({KeyHash} & {(buckets - 1).ToString(CultureInfo.InvariantCulture)})::int";

    /// <summary>The key's columns, by which the index sorts.</summary>
    public string Sorted => string.Join(", ", table.Key.Select(ColumnName));

    /// <summary>Condition of a range, with its parameters added to those there are; <c>true</c> for all rows.</summary>
    public string Where(KeyRange range, NpgsqlParameterCollection parameters)
    {
        if (range.Buckets is not null)
        {
            parameters.Add(new NpgsqlParameter { Value = range.Buckets.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer });
            return $"{Bucket(range.BucketCount)} = any(${parameters.Count})";
        }

        return Where(range, value =>
        {
            parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Text });
            return $"${parameters.Count}";
        });
    }

    /// <summary>Condition of a range of keys, with its values as literals, for statements that take no parameters.</summary>
    public string WhereLiteral(KeyRange range) =>
        Where(range, value => $"E'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'");

    /// <summary>
    /// Rows of the table joined with a list of keys: <c>k.n</c> is a key's place in the list, from 1. The index finds a row by value; where equal values may have
    /// different texts the text decides.
    /// </summary>
    public string FromKeys(IReadOnlyList<RowKey> keys, NpgsqlParameterCollection parameters)
    {
        for (var i = 0; i < table.Key.Count; i++)
        {
            var part = i;
            parameters.Add(new NpgsqlParameter { Value = keys.Select(key => key.Values[part]).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        }

        var arrays = string.Join(", ", table.Key.Select((_, i) => $"${i + 1}"));
        var names = string.Join(", ", table.Key.Select((_, i) => $"k{i}"));
        return $"unnest({arrays}) with ordinality as k({names}, n) join {From} on {string.Join(" and ", table.Key.Select(Match))}";
    }

    private static string Joined(IReadOnlyList<string> parts)
    {
        while (parts.Count > MostArguments)
        {
            parts = [.. parts.Chunk(MostArguments).Select(chunk => Joined(chunk))];
        }

        return $"pg_catalog.concat_ws('|', {string.Join(", ", parts)})";
    }

    private string RowText()
    {
        var free = Enumerable.Range(0, table.Columns.Count).Where(i => table.Columns[i].IsFreeText).ToList();

        // The one without a length is one whose length would need its text to be made twice.
        var dear = free.FindIndex(i => !HasCheapLength(table.Columns[i]));
        var unmeasured = free.Count == 0 ? -1 : free[dear < 0 ? free.Count - 1 : dear];
        var lengths = free.Where(i => i != unmeasured).Select(i => HasCheapLength(table.Columns[i])
            ? $"pg_catalog.octet_length({Values[i]})"
            : $"pg_catalog.octet_length(pg_catalog.concat_ws('', {Values[i]}))");
        var nulls = table.Columns.Where(column => column.IsNullable).Chunk(BitsOfNumber).Select(chunk =>
            string.Join(" + ", chunk.Select((column, bit) => $"case when {NameOf(column)} is null then {(1L << bit).ToString(CultureInfo.InvariantCulture)} else 0 end")));
        return Joined([.. Values, .. lengths, .. nulls]);
    }

    /// <summary>The octet length of text is known without making it; of NULL it is NULL, which is left out as the value is.</summary>
    private static bool HasCheapLength(ComparedColumn column) =>
        column.Form == CanonicalForm.Text && column.SourceType is "text" or "character varying" && column.TargetType is "text" or "character varying";

    private string Value(ComparedColumn column)
    {
        var name = NameOf(column);
        return column.Form switch
        {
            CanonicalForm.TrimmedNumber => $"pg_catalog.trim_scale({name}::numeric)",
            CanonicalForm.Double => $"{name}::text::double precision",
            CanonicalForm.Unpadded => $"pg_catalog.rtrim({name}::text, ' ')",
            CanonicalForm.Utc => $"{name}::timestamp",
            CanonicalForm.Json when table.Hashing == HashPlace.Here => name,

            // U+0000 is legal in json and not in jsonb: a row with it is compared by its text and found to differ.
            CanonicalForm.Json when (ofSource ? column.SourceType : column.TargetType) == "json" =>
                $"case when pg_catalog.strpos({name}::text, '\\u0000') > 0 then {name}::text else {name}::jsonb::text end",
            CanonicalForm.Json => $"{name}::text",
            _ => name,
        };
    }

    private string NameOf(ComparedColumn column) => $"t.{TableName.Quote(ofSource ? column.Source : column.Target)}";

    private string ColumnName(int ordinal) => NameOf(table.Columns[ordinal]);

    private string TypeOf(ComparedColumn column) => ofSource ? column.SourceType : column.TargetType;

    private string Where(KeyRange range, Func<string, string> value)
    {
        var after = range.After is null ? "true" : $"({Sorted}) > ({Cast(range.After)})";
        return range.UpTo is null ? after : $"{after} and ({Sorted}) <= ({Cast(range.UpTo)})";

        string Cast(RowKey key) => string.Join(", ", table.Key.Select((ordinal, i) => $"{value(key.Values[i])}::{TypeOf(table.Columns[ordinal])}"));
    }

    private string Match(int ordinal, int part)
    {
        var column = table.Columns[ordinal];
        var found = $"{NameOf(column)} {(ofSource ? column.SourceEquality : column.TargetEquality)} k.k{part}::{TypeOf(column)}";
        return HasOneText(TypeOf(column)) ? found : $"{found} and pg_catalog.concat_ws('', {Values[ordinal]}) collate \"C\" = k.k{part} collate \"C\"";
    }

    private static bool HasOneText(string type) => type is "smallint" or "integer" or "bigint" or "oid" or "uuid" or "date" or "boolean" or "bytea"
        or "timestamp without time zone" or "timestamp with time zone";
}
