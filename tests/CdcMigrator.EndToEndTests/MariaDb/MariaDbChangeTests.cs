using CdcMigrator.EndToEndTests.Migration;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>What happens to a MariaDB table while it is moved: columns come and go, it is truncated, and it gets rows that PostgreSQL does not have.</summary>
[Collection(typeof(SteadyKit))]
public sealed class MariaDbChangeTests(KitFixture kit, MariaDbFixture mariaDb)
{
    private const string SourceSql = """
        create table t (id int primary key, name varchar(10), gone int, due date not null default '2000-01-01', flag tinyint(1) not null default 0);
        insert into t (id, name, gone) values (1, 'one', 1), (2, 'two', 2);
        """;

    private const string TargetSql = "create table t (id int primary key, name text, gone int, due date not null, flag boolean not null)";
    private const string Rows = "select concat_ws('|', id, name, due, flag, added, later) from t order by id";
    private const string TargetRows = "select concat_ws('|', id, name, due, flag::int, added, later) from t order by t.id";

    [Fact]
    public async Task A_table_is_altered_and_truncated_and_refused_rows_wait_for_their_cure_while_others_go_on()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var stack = await MariaDbStack.StartAsync(kit, mariaDb, "mchange", SourceSql, TargetSql);
        stack.Tables = [$"{{ source: {stack.Database}.t, target: public.t, onePartition: true }}"];
        stack.Apply = "{ onPoison: deadLetter }";
        await stack.RegisterAsync(MigrationFormat.Json);
        var service = stack.StartService();
        await stack.DrainAsync(service, cancellationToken);

        // The target follows when its lane asks for the new columns; the dropped one stays there.
        await stack.ExecuteAsync("""
            insert into t (id, name) values (3, 'before');
            alter table t add column added int;
            insert into t (id, name, added) values (4, 'added', 4);
            alter table t modify name varchar(200) character set latin1, drop column gone, add column later varchar(20) default 'dflt';
            insert into t (id, name, later) values (5, repeat('é', 150), null);
            update t set name = 'two again', later = 'x' where id = 2;
            """);
        await stack.WaitAsync(() => "the lane to ask for the column", () => Task.FromResult(service.Log.Contains("unknown-column", StringComparison.Ordinal)), cancellationToken);
        await using (var alter = stack.Target.CreateCommand("alter table t add column added int, add column later text default 'dflt'"))
        {
            await alter.ExecuteNonQueryAsync(cancellationToken);
        }

        await stack.DrainAsync(service, cancellationToken);
        Assert.Equal(await stack.SourceRowsAsync(Rows), await stack.TargetRowsAsync(TargetRows));

        await stack.ExecuteAsync("truncate table t; insert into t (id, name) values (1, 'anew');");
        await stack.DrainAsync(service, cancellationToken);
        Assert.Equal(await stack.SourceRowsAsync(Rows), await stack.TargetRowsAsync(TargetRows));

        // A zero date behind the column's default, which nothing in the event betrays, and a number that is no boolean.
        await stack.ExecuteAsync("""
            set session sql_mode = '';
            insert into t (id, name, due) values (10, 'zero', '0000-00-00');
            insert into t (id, name, flag) values (11, 'five', 5);
            insert into t (id, name) values (12, 'sound');
            """);
        await stack.WaitAsync(() => "the sound row", async () => (await stack.TargetRowsAsync("select id::text from t order by t.id")).Contains("12"), cancellationToken);
        Assert.Equal(["1", "12"], await stack.TargetRowsAsync("select id::text from t order by t.id"));
        var letters = (await RunAsync("dlq", "list")).Output;
        Assert.Contains("zero-date", letters, StringComparison.Ordinal);
        Assert.Contains("not-boolean", letters, StringComparison.Ordinal);

        await stack.ExecuteAsync("update t set due = '2024-02-29' where id = 10; update t set flag = 1 where id = 11;");
        await stack.WaitAsync(() => "the letters to be retried", async () => (await RunAsync("dlq", "retry", "--all")).ExitCode == 0
            && !(await RunAsync("dlq", "list")).Output.Contains("zero-date", StringComparison.Ordinal), cancellationToken);
        await stack.DrainAsync(service, cancellationToken);
        Assert.Equal(await stack.SourceRowsAsync(Rows), await stack.TargetRowsAsync(TargetRows));

        Task<ProcessResult> RunAsync(params string[] verb) => Cdcm.RunAsync([.. verb, "-o", "json", "--server", service.Address.ToString()]);
    }
}
