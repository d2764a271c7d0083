namespace CdcMigrator.Postgres.Apply;

/// <summary>Rows of the target that hold unique values which rows of a range need.</summary>
/// <param name="Rule">What the rows must not have in common.</param>
/// <param name="Keys">Keys of the holders, each once.</param>
/// <param name="Pairs">Which row of the net effect is refused for which of them.</param>
internal sealed record FoundHolders(UniqueRule Rule, IReadOnlyList<string[]> Keys, IReadOnlyList<(int Row, int Holder)> Pairs);
