namespace CdcMigrator.Postgres.Comparing;

/// <summary>A collation as far as two servers may sort by it differently.</summary>
/// <param name="Provider">c (the C library), i (ICU) or b (PostgreSQL's own).</param>
/// <param name="Locale">The provider's name of the locale, with its rules.</param>
/// <param name="Version">Version of its sort order on this server; null where the provider names none.</param>
/// <param name="Deterministic">Different texts are never equal.</param>
internal sealed record SideCollation(char Provider, string Locale, string? Version, bool Deterministic)
{
    /// <summary>Whether texts have the same order on both servers.</summary>
    public bool SortsAs(SideCollation other) =>
        (IsByBytes && other.IsByBytes) || (Deterministic && other.Deterministic && Version is not null && this == other);

    /// <summary>Sorted by bytes, which no version changes. The C library's C.UTF-8 is not among them: it has had other orders.</summary>
    private bool IsByBytes => Provider == 'b' || (Provider == 'c' && Locale is "C" or "POSIX");
}
