namespace CdcMigrator.Service.Api;

/// <summary>A kind of wrong rows in a self-test.</summary>
/// <param name="Kind">Its name: <c>trailing-blank</c>.</param>
/// <param name="Description">What was made wrong.</param>
/// <param name="Seeded">Rows made wrong, in all scratch tables.</param>
/// <param name="Found">Those that were found, each with how it differs and in which columns.</param>
/// <param name="Missed">Those that were not, at most 20: way of comparing, row and columns of the scratch table.</param>
public sealed record SelfTestKind(string Kind, string Description, int Seeded, int Found, IReadOnlyList<string> Missed)
{
    /// <summary>All were found.</summary>
    public bool Passed => Found == Seeded && Seeded > 0;
}
