namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>What a history's table looks like: columns id, u (the unique one), v and big.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Declarations of u, and of constraints over it.</param>
/// <param name="Lanes">Lanes its keys are spread over.</param>
/// <param name="Values">Values u passes round.</param>
/// <param name="Collides">Whether two values cannot be in two rows at once.</param>
internal sealed record HistoryShape(string Name, string Columns, int Lanes, IReadOnlyList<string> Values, Func<string, string, bool> Collides)
{
    private static readonly string[] Mails = ["m0", "m1", "m2", "m3", "m4"];

    /// <summary>The table is truncated now and then; one lane only.</summary>
    public bool Truncates => Lanes == 1;

    public static IReadOnlyList<HistoryShape> All { get; } =
    [
        new("plain", "u text unique", 3, Mails, (a, b) => a == b),
        new("truncated", "u text unique", 1, Mails, (a, b) => a == b),
    ];

    public string CreateSql => $"create table {Name}(id int primary key, {Columns.Split(';')[0]}, v text, big text); {string.Join(';', Columns.Split(';').Skip(1))}";
}
