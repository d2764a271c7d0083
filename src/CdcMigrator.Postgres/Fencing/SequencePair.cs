using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>A sequence of the side that is left and what takes its place on the other one. Pure.</summary>
/// <param name="From">The sequence.</param>
/// <param name="To">What takes its place; empty where nothing does.</param>
/// <param name="Unnumbered">Columns of the other side that it would number and that nothing numbers there.</param>
internal sealed record SequencePair(KnownSequence From, IReadOnlyList<KnownSequence> To, IReadOnlyList<(TableName Table, string Column)> Unnumbered)
{
    /// <summary>
    /// Pairs sequences by what they number: table and column as the migration maps them, whatever they are called. One that numbers no moved column, or whose column nothing numbers on the other side, goes by its name,
    /// in every schema that a schema of its side maps to.
    /// </summary>
    /// <param name="left">Sequences of the side that is left.</param>
    /// <param name="taking">Those of the side that takes over.</param>
    /// <param name="mappings">Tables, from the first side to the second.</param>
    public static IReadOnlyList<SequencePair> Of(IReadOnlyList<KnownSequence> left, IReadOnlyList<KnownSequence> taking, IReadOnlyList<TableMapping> mappings)
    {
        var tables = mappings.ToLookup(mapping => mapping.Source);
        var numbering = taking.SelectMany(sequence => sequence.Numbers.Select(column => (column, sequence))).ToLookup(pair => pair.column, pair => pair.sequence);
        var schemas = mappings.Select(mapping => (mapping.Source.Schema, Target: mapping.Target.Schema)).Distinct().ToLookup(pair => pair.Schema, pair => pair.Target, StringComparer.Ordinal);
        var names = taking.ToDictionary(sequence => sequence.Name);
        return
        [
            .. left.Select(from =>
            {
                var columns = from.Numbers.SelectMany(column => tables[column.Table].SelectMany(mapping => Mapped(mapping, column.Column))).Distinct().ToList();
                var numbered = columns.SelectMany(column => numbering[column]).DistinctBy(sequence => sequence.Name).ToList();
                var unnumbered = columns.Where(column => !numbering[column].Any()).ToList();
                var named = numbered.Count > 0 ? [] : schemas[from.Name.Schema].Select(schema => names.GetValueOrDefault(new TableName(schema, from.Name.Name))).OfType<KnownSequence>().ToList();
                return new SequencePair(from, [.. numbered, .. named], named.Count > 0 ? [] : unnumbered);
            }),
        ];
    }

    private static IEnumerable<(TableName Table, string Column)> Mapped(TableMapping mapping, string column) =>
        mapping.Exclude.Contains(column) ? [] : [(mapping.Target, mapping.Rename.GetValueOrDefault(column, column))];
}
