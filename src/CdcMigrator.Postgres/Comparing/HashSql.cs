namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// How the databases hash a row and add hashes up. There is one way; tests put weaker ones in its place and see that the self-test names what they miss.
/// </summary>
/// <param name="Row">A row's 64-bit hash.</param>
/// <param name="Sum">The aggregate over hashes.</param>
internal sealed record HashSql(Func<RowSql, string> Row, Func<string, string> Sum)
{
    /// <summary>A hash that is linear in nothing, summed without overflow.</summary>
    public static HashSql InUse { get; } = new(sql => $"pg_catalog.hashtextextended({sql.Text} collate \"C\", 7)", hash => $"pg_catalog.sum({hash})");
}
