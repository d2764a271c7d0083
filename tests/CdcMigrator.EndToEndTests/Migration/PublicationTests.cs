using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Postgres.Drift;
using CdcMigrator.TestKit.Kit;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>What real Debezium does to its publication: nothing that could be taken for an interruption.</summary>
[Collection(typeof(KilledKit))]
public sealed class PublicationTests(KitFixture kit)
{
    private static readonly TableName Table = new("public", "t");

    [Fact]
    public async Task Restarts_of_task_connector_and_Connect_and_another_registration_leave_the_publication_as_it_was_recorded()
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var stack = await MigrationStack.StartAsync(
            kit, "publication", "create table t(id int primary key, v text); create table p(id int primary key) partition by range (id); create table p1 partition of p default",
            [Table, new TableName("public", "p")], _ => Task.CompletedTask);
        await ControlSchema.MigrateAsync(stack.Target, token);
        await stack.RegisterAsync(MigrationFormat.Json);
        var reader = await NextReaderAsync("");
        var watch = new SchemaWatch(stack.Source, stack.Target, stack.Name, stack.Mappings, copiesNewTables: false, namesValues: false, stack.Slot);
        Assert.Empty((await watch.LookAsync(token)).Findings);
        Assert.Equal(2, await CountAsync("select count(*) from cdc_migrator.source_table where shape ->> 'Published' like '%/%/%'"));

        using var connect = new ConnectClient(kit.ConnectUrl);
        using var http = new HttpClient { BaseAddress = kit.ConnectUrl };
        var connector = $"{stack.Name}-source";
        await AfterAsync("a restart of the task", () => PostAsync($"connectors/{connector}/tasks/0/restart"));
        await AfterAsync("a restart of the connector", () => PostAsync($"connectors/{connector}/restart?includeTasks=true&onlyFailed=false"));
        await AfterAsync("another registration", async () =>
        {
            var settings = new Dictionary<string, string>(await connect.GetConfigAsync(connector, token)) { ["max.batch.size"] = "1000" };
            await connect.PutConfigAsync(connector, settings, token);
        });
        await AfterAsync("a restart of Connect", async () =>
        {
            await kit.KillAsync("connect");
            await kit.UpAsync("connect");
        });

        // It does notice what is done behind its back.
        await using (var alter = stack.Source.CreateCommand($"alter publication {stack.Slot} set (publish = 'insert'); alter publication {stack.Slot} set (publish = 'insert, update, delete, truncate')"))
        {
            await alter.ExecuteNonQueryAsync(token);
        }

        Assert.Equal(["resync-needed", "resync-needed"], (await watch.LookAsync(token)).Findings.Select(finding => finding.Code));

        async Task AfterAsync(string what, Func<Task> act)
        {
            await act();
            reader = await NextReaderAsync(reader);
            Assert.True((await watch.LookAsync(token)).Findings is [], what);
        }

        async Task PostAsync(string path) => (await http.PostAsync(new Uri(path, UriKind.Relative), null, token)).EnsureSuccessStatusCode();

        // The session that reads the slot is the task's: each start of it has another one, and has looked at its publication before.
        async Task<string> NextReaderAsync(string former)
        {
            var now = "";
            await stack.WaitAsync($"another reader than {former}", async () =>
            {
                await using var command = stack.Source.CreateCommand($"select coalesce(active_pid::text, '') from pg_replication_slots where slot_name = '{stack.Slot}'");
                now = await command.ExecuteScalarAsync(token) as string ?? "";
                return now.Length > 0 && now != former;
            }, token);
            return now;
        }

        async Task<long> CountAsync(string sql)
        {
            await using var command = stack.Target.CreateCommand(sql);
            return await command.ExecuteScalarAsync(token) is long count ? count : -1;
        }
    }
}
