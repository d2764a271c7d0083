using System.Globalization;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>
/// One table and what is done to it. The measured stretch lies between rows that mark its end: the last rows written to the table, so many that
/// each partition has one. What is applied when the first of it becomes visible is counted and not credited to anybody.
/// </summary>
internal sealed record Workload
{
    /// <summary>Rows that mark the end; hashing puts at least one into each of four partitions.</summary>
    public const int EndRows = 64;

    private const string Orders = """
        (id bigint primary key, customer_id bigint not null, status text not null, amount numeric(12,2) not null, currency char(3) not null, quantity int not null,
         created_at timestamp(6) not null, paid boolean not null, note text, rev bigint not null)
        """;

    public required string Name { get; init; }

    public required string Table { get; init; }

    /// <summary>Row events between the start and the marks.</summary>
    public required long Events { get; init; }

    /// <summary>Records that follow a delete and are no events.</summary>
    public long Tombstones { get; init; }

    /// <summary>Creates the table.</summary>
    public required string Schema { get; init; }

    /// <summary>What both sides hold before anything is captured.</summary>
    public string Before { get; init; } = "";

    /// <summary>Makes the changes in the source, in transactions of its own.</summary>
    public required string Changes { get; init; }

    /// <summary>Query for how many of the events are visible in the target.</summary>
    public required string Visible { get; init; }

    /// <summary>Whether copying the source's rows is the same work, so that it shows PostgreSQL's limit.</summary>
    public bool HasLimit { get; init; }

    /// <summary>How many end marks are visible.</summary>
    public string Ended => $"select count(*) from {Table} where id > 1000000000";

    /// <summary>Writes the end marks, in the source.</summary>
    public string End => Table == "documents"
        ? $"insert into documents select 1000000000 + i, 0, '', 0 from generate_series(1, {EndRows}) i"
        : $"insert into {Table} {Row("1000000000 + i", "0")} from generate_series(1, {EndRows}) i";

    public static IReadOnlyList<Workload> All(int rows)
    {
        var updates = rows / 2;
        var rounds = rows / 20;
        var wide = Math.Max(200, rows / 40);
        string Number(long n) => n.ToString(CultureInfo.InvariantCulture);
        return
        [
            new Workload
            {
                Name = "insert",
                Table = "orders_inserted",
                Events = rows,
                Schema = $"create table orders_inserted {Orders}",
                Changes = Loop(rows / 100, $"insert into orders_inserted {Row("i", "0")} from generate_series(r * 100 + 1, r * 100 + 100) i;"),
                Visible = "select count(*) from orders_inserted where id < 1000000000",
                HasLimit = true,
            },
            new Workload
            {
                Name = "update",
                Table = "orders_updated",
                Events = updates,
                Schema = $"create table orders_updated {Orders}",
                Before = $"insert into orders_updated {Row("i", "0")} from generate_series(1, {updates}) i",

                // 7919 is prime: the rows are met in an order that is not the table's.
                Changes = Loop(updates / 100, $"""
                    update orders_updated set status = 'shipped', quantity = quantity + 1, note = note || ' (shipped)', rev = r + 1
                    where id in (select (r * 100 + i) * 7919::bigint % {Number(updates)} + 1 from generate_series(0, 99) i);
                    """),
                Visible = "select count(*) from orders_updated where rev > 0",
                HasLimit = true,
            },
            new Workload
            {
                Name = "mixed",
                Table = "orders_mixed",
                Events = rounds * 20L,
                Tombstones = rounds * 3L,
                Schema = $"create table orders_mixed {Orders}",

                // Of ten rows inserted, seven are updated a while later and three deleted later still.
                Before = $"insert into orders_mixed {Row("-i", "0")} from generate_series(0, 19999) i",
                Changes = Loop(rounds, $"""
                    insert into orders_mixed {Row("i", "0")} from generate_series(r * 10 + 1, r * 10 + 10) i;
                    update orders_mixed set status = 'paid', paid = true, rev = r where id in (select r * 10 + i - 2000 from generate_series(1, 7) i);
                    delete from orders_mixed where id in (select r * 10 + i - 10000 from generate_series(8, 10) i);
                    """),
                Visible = "select count(*) * 20 / 7 from orders_mixed where id > 0 and id < 1000000000 and id % 10 between 1 and 7",
            },
            new Workload
            {
                Name = "wide",
                Table = "documents",
                Events = wide * 2L,
                Schema = "create table documents (id bigint primary key, n int not null, doc text not null, rev bigint not null)",

                // Text that does not compress, so that it is stored out of line, and updates that leave it alone.
                Changes = Loop(wide / 10, """
                    insert into documents select i, 0, (select string_agg(md5(i::text || '/' || j::text), '') from generate_series(1, 250) j), 0 from generate_series(r * 10 + 1, r * 10 + 10) i;
                    """) + ";" + Loop(wide / 10, "update documents set n = n + 1, rev = 1 where id between r * 10 + 1 and r * 10 + 10;"),
                Visible = "select count(*) + count(*) filter (where rev > 0) from documents where id < 1000000000",
            },
        ];
    }

    /// <summary>One transaction a round.</summary>
    private static string Loop(int rounds, string body) => $"""
        do $do$ begin for r in 0 .. {rounds - 1} loop {body} commit; end loop; end $do$
        """;

    private static string Row(string id, string rev) => $"""
        select {id}, ({id})::bigint * 37 % 100000, 'new', (({id}) % 100000)::numeric / 7, 'EUR', (({id}) % 9 + 1)::int,
            timestamp '2026-01-01' + ({id}) * interval '1.234567 s', false, case when ({id}) % 3 = 0 then null else 'order number ' || ({id}) end, {rev}
        """;
}
