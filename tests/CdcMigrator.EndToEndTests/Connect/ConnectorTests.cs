using System.Text.Json;
using CdcMigrator.Connect;
using CdcMigrator.Connect.Checks;
using CdcMigrator.Connect.Registry;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.TestKit.Kit;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Connect;

/// <summary>The rendered connector and both REST clients against real Kafka Connect, Debezium and registry.</summary>
[Collection(typeof(SteadyKit))]
public sealed class ConnectorTests(KitFixture kit)
{
    private const string Schema = """
        create role connector login replication;
        create table orders(id int primary key, note text);
        insert into orders values (1, 'one');
        create schema cdc_migrator;
        create table cdc_migrator.fence(id text primary key, v text);
        alter table orders owner to connector; alter schema cdc_migrator owner to connector; alter table cdc_migrator.fence owner to connector;
        do $$ begin execute format('grant create on database %I to connector', current_database()); end $$;
        """;

    /// <summary>Settings the worker, a converter or the schema history reads, and two that Debezium obeys (observed) but does not declare everywhere.</summary>
    private static readonly string[] NotDeclared =
    [
        "key.converter.", "value.converter.", "producer.override.", "topic.creation.", "schema.history.internal.",
        "event.converting.failure.handling.mode", "binary.handling.mode",
    ];

    [Theory]
    [InlineData(LogFormat.Json)]
    [InlineData(LogFormat.Avro)]
    public async Task The_rendered_connector_runs_as_a_plain_role_and_streams_rows_and_the_lineage_heartbeat(LogFormat format)
    {
        kit.Require();
        var token = TestContext.Current.CancellationToken;
        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), token);
        var connection = new NpgsqlConnectionStringBuilder(await server.CreateDatabaseAsync("shop", Schema, token)) { Username = "connector", Password = "unused" };
        var definition = Definition(format, connection.ConnectionString);
        using var client = new ConnectClient(kit.ConnectUrl);
        var name = definition.Connect!.Connector;
        await client.PutConfigAsync(name, ConnectorTemplate.Render(definition, new ConnectorTemplateOptions { ReplicationFactor = 1 }), token);
        try
        {
            await UntilAsync("the connector to run", async () => await client.FindStatusAsync(name, token) is { } status
                && (status.IsRunning || (status.Cause.Length > 0 ? throw new InvalidOperationException(status.Cause) : false)), token);
            var settings = await ConnectorSettingsSource.ReadAsync(definition, client, token);
            var plugin = (await client.ListPluginsAsync(token)).Single(plugin => plugin.Class == settings["connector.class"]);
            Assert.DoesNotContain(ConnectorChecks.Check(settings, definition, plugin.Version), finding => finding.Severity == Severity.Error);

            await using var source = NpgsqlDataSource.Create(connection.ConnectionString);
            var lineage = await ScalarAsync(source, "select system_identifier::text || '/' || timeline_id from pg_control_system(), pg_control_checkpoint()", token);
            await UntilAsync("the heartbeat row", async () => await ScalarAsync(source, "select v from cdc_migrator.fence where id = 'heartbeat'", token) == lineage, token);
            await UntilAsync("both topics", async () =>
            {
                var topics = await kit.RunAsync("topics");
                return topics.Contains($"{definition.Name}.public.orders", StringComparison.Ordinal) && topics.Contains($"{definition.Name}.cdc_migrator.fence", StringComparison.Ordinal);
            }, token);
            await UntilAsync("stored offsets", async () => (await client.GetOffsetsAsync(name, token)).Count > 0, token);
            await PauseAndResumeAsync(client, name, token);
            if (format == LogFormat.Avro)
            {
                await LoadSchemaAsync(token);
            }
        }
        finally
        {
            await client.DeleteAsync(name, token);
            Assert.Null(await client.FindConfigAsync(name, token));
        }
    }

    [Fact]
    public async Task Settings_the_source_does_not_accept_are_refused_with_debeziums_reason()
    {
        kit.Require();
        var definition = Definition(LogFormat.Json, "Host=127.0.0.1;Port=1;Database=shop;Username=nobody;Password=s3cret");
        using var client = new ConnectClient(kit.ConnectUrl);
        var fault = (await Assert.ThrowsAsync<FaultException>(() =>
            client.PutConfigAsync(definition.Connect!.Connector, ConnectorTemplate.Render(definition), TestContext.Current.CancellationToken))).Fault;
        Assert.Equal((FaultKind.Configuration, "connector-refused"), (fault.Kind, fault.Code));
        Assert.Contains("127.0.0.1:1", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SourceKind.PostgreSql)]
    [InlineData(SourceKind.MariaDb)]
    [InlineData(SourceKind.MySql)]
    public async Task Every_rendered_setting_is_one_the_connector_knows(SourceKind kind)
    {
        kit.Require();
        var definition = Definition(LogFormat.Json, "Host=127.0.0.1;Port=1;Database=shop;Username=nobody;SslMode=VerifyFull");
        definition = definition with { Source = definition.Source with { Kind = kind } };
        var settings = ConnectorTemplate.Render(definition);
        using var http = new HttpClient();
        var named = new Dictionary<string, string>(settings) { ["name"] = "validation" };
        using var answer = await http.PutAsJsonAsync(new Uri(kit.ConnectUrl, $"/connector-plugins/{settings["connector.class"].Split('.')[^1]}/config/validate"), named, TestContext.Current.CancellationToken);
        var results = (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("configs").EnumerateArray()
            .Select(config => config.GetProperty("value")).ToDictionary(value => value.GetProperty("name").GetString()!, value => string.Join("; ", value.GetProperty("errors").EnumerateArray()));
        Assert.Equal([], settings.Keys.Where(key => !results.ContainsKey(key) && !Array.Exists(NotDeclared, prefix => key.StartsWith(prefix, StringComparison.Ordinal))));
        Assert.Equal([], results.Where(result => result.Value.Length > 0 && result.Key is not ("database.hostname" or "database.user")));
    }

    private MigrationDefinition Definition(LogFormat format, string connection)
    {
        var name = $"conn{Guid.NewGuid():n}"[..12];
        return new MigrationDefinition
        {
            Name = name,
            Source = new SourceSection(SourceKind.PostgreSql, connection),
            Target = new TargetSection(connection),
            Log = new LogSection { BootstrapServers = kit.BootstrapServers, TopicPrefix = name, Format = format, SchemaRegistry = format == LogFormat.Avro ? kit.RegistryUrl : null },
            Connect = new ConnectSection(kit.ConnectUrl, $"{name}-source"),
            Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
        };
    }

    private static async Task PauseAndResumeAsync(ConnectClient client, string name, CancellationToken token)
    {
        await client.PauseAsync(name, token);
        await UntilAsync("the pause", async () => (await client.GetStatusAsync(name, token)).State == "PAUSED", token);
        Assert.Equal("connector-not-running", Assert.Single(ConnectorChecks.Check(await client.GetStatusAsync(name, token))).Code);
        await client.ResumeAsync(name, token);
        await UntilAsync("the resumption", async () => (await client.GetStatusAsync(name, token)).IsRunning, token);
    }

    private async Task LoadSchemaAsync(CancellationToken token)
    {
        var loaded = new Dictionary<int, string>();
        using var registry = new SchemaRegistryClient(kit.RegistryUrl, loaded.Add);
        await UntilAsync("a schema in the registry", async () =>
        {
            try
            {
                await registry.LoadAsync(1, token);
                return true;
            }
            catch (FaultException fault) when (fault.Fault.Code == "unknown-schema")
            {
                return false;
            }
        }, token);
        Assert.Contains("\"record\"", loaded[1], StringComparison.Ordinal);
        Assert.Equal("unknown-schema", (await Assert.ThrowsAsync<FaultException>(() => registry.LoadAsync(987_654, token))).Fault.Code);
    }

    private static async Task<string?> ScalarAsync(NpgsqlDataSource source, string sql, CancellationToken token)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(token) as string;
    }

    private static async Task UntilAsync(string what, Func<Task<bool>> condition, CancellationToken token)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            while (!await condition())
            {
                await Task.Delay(100, limit.Token);
            }
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            Assert.Fail($"waited two minutes for {what}");
        }
    }
}
