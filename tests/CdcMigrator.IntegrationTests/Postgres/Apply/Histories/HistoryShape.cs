namespace CdcMigrator.IntegrationTests.Postgres.Apply.Histories;

/// <summary>What a history's table looks like: columns id, u (the unique one), v and big.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Declarations of u, and of constraints over it.</param>
/// <param name="Lanes">Lanes its keys are spread over.</param>
/// <param name="Values">Values u passes round.</param>
/// <param name="Collides">Whether two values cannot be in two rows at once.</param>
internal sealed record HistoryShape(string Name, string Columns, int Lanes, IReadOnlyList<string> Values, Func<string?, string?, bool> Collides)
{
    private static readonly string[] Mails = ["m0", "m1", "m2", "m3", "m4"];

    /// <summary>Makes a random history of such a table.</summary>
    public History Make(Random random) => IsKeyless ? KeylessLog.Make(random) : HistoryLog.Make(this, random);

    private static bool Overlap(string? left, string? right) => left is not null && right is not null && left[1] < right[3] && right[1] < left[3];

    private static bool Equal(string? left, string? right) => left is not null && left == right;

    /// <summary>The table is truncated now and then.</summary>
    public bool Truncates { get; init; }

    public static IReadOnlyList<HistoryShape> All { get; } =
    [
        new("plain", "u text unique", 3, Mails, Equal),
        new("truncated", "u text unique", 1, Mails, Equal) { Truncates = true },
        new("spread", "u text unique", 3, Mails, Equal) { Truncates = true },
        new("folded", "u text; create unique index on folded (lower(u))", 3, ["a", "A", "b", "B", "c"], (a, b) => a is not null && string.Equals(a, b, StringComparison.OrdinalIgnoreCase)),
        new("partial", "u text; create unique index on partial (u) where u <> 'm0'", 3, Mails, (a, b) => a != "m0" && Equal(a, b)),
        new("nulls", "u text unique nulls not distinct", 3, Mails, (a, b) => a == b),
        new("composed", "u text; alter table composed add unique (u), add g text generated always as (upper(u)) stored; create unique index on composed (g, (1))", 3, Mails, Equal),
        new("spans", "u int4range, exclude using gist (u with &&)", 3, ["[1,4)", "[3,6)", "[5,8)", "[7,9)", "[1,2)"], Overlap),
        new("bag", "", 1, [], (_, _) => false) { IsKeyless = true },
    ];

    /// <summary>Rows have no key.</summary>
    public bool IsKeyless { get; init; }

    public string CreateSql => IsKeyless ? $"create table {Name}(a int, b numeric, c json, d point)" : $"create table {Name}(id int primary key, {Columns.Split(';')[0]}, v text, big text); {string.Join(';', Columns.Split(';').Skip(1))}";
}
