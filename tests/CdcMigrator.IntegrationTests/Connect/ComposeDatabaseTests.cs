using System.Globalization;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.TestKit;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Connect;

/// <summary>The stack's init scripts on real servers, run as the PostgreSQL image runs them. Servers of their own: roles belong to a whole server.</summary>
public sealed class ComposeDatabaseTests
{
    [Fact]
    public async Task The_scripts_make_two_equal_schemas_that_the_migrator_can_work_on_without_superuser()
    {
        var psql = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "psql")).FirstOrDefault(File.Exists);
        if (psql is null)
        {
            Assert.Skip("no psql on the PATH: apt-get install postgresql-client");
        }

        var token = TestContext.Current.CancellationToken;
        await using var source = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), token);
        await using var target = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), token);
        await InitAsync(psql, source, "roles.sh", "schema.sql", "data.sql");
        await InitAsync(psql, target, "roles.sh", "schema.sql");
        await using var sourceData = NpgsqlDataSource.Create(source.ConnectionString("shop", "migrator"));
        await using var targetData = NpgsqlDataSource.Create(target.ConnectionString("shop", "migrator"));

        const string Columns = """
            select string_agg(format('%s.%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull), E'\n' order by attrelid::regclass::text, attnum)
            from pg_attribute where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r') and attnum > 0
            """;
        var columns = await TextAsync(sourceData, Columns);
        Assert.Contains("order_items.total numeric", columns, StringComparison.Ordinal);
        Assert.Equal(columns, await TextAsync(targetData, Columns));
        Assert.Equal(("20000", "0"), (await TextAsync(sourceData, "select count(*)::text from orders"), await TextAsync(targetData, "select count(*)::text from orders")));

        // What 'connector register', the heartbeat and the applier do.
        await RunAsync(sourceData, "create schema cdc_migrator; create table cdc_migrator.fence(id text primary key, v text)");
        await RunAsync(sourceData, "create publication cdcm_shop for table customers, products, orders, order_items, documents, cdc_migrator.fence");
        var heartbeat = ConnectorTemplate.Render(Definition(source.ConnectionString("shop", "migrator")))["heartbeat.action.query"];
        await RunAsync(sourceData, heartbeat);
        await RunAsync(sourceData, heartbeat);
        Assert.Equal(
            await TextAsync(sourceData, "select system_identifier::text || '/' || timeline_id from pg_control_system(), pg_control_checkpoint()"),
            await TextAsync(sourceData, "select v from cdc_migrator.fence where id = 'heartbeat'"));
        await RunAsync(targetData, "create schema cdc_migrator");
        await RunAsync(targetData, "set session_replication_role = replica; insert into order_items(order_id, line, sku, quantity, unit_price) values (1, 1, 'none', 1, 1)");
        Assert.Equal("off", await TextAsync(targetData, "select current_setting('is_superuser')"));
    }

    [Fact]
    public async Task The_load_changes_every_table_it_means_to()
    {
        var psql = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "psql")).FirstOrDefault(File.Exists);
        if (psql is null)
        {
            Assert.Skip("no psql on the PATH: apt-get install postgresql-client");
        }

        await using var server = await LocalPostgresServer.StartAsync(new LocalPostgresOptions(), TestContext.Current.CancellationToken);
        await InitAsync(psql, server, "roles.sh", "schema.sql", "data.sql");
        await using var data = NpgsqlDataSource.Create(server.ConnectionString("shop", "shop_app"));
        var script = await File.ReadAllTextAsync(PathOf("load.sql"), TestContext.Current.CancellationToken);
        Assert.EndsWith("\\watch 0.2\n", script, StringComparison.Ordinal);
        var statement = script[..script.IndexOf("\\watch", StringComparison.Ordinal)];
        const string State = "select (select count(*) || ' ' || max(id) from orders) || ' ' || (select count(*) from documents) || ' ' || (select sum(seen) from documents) || ' ' || (select count(*) from orders where status = 'paid')";
        Assert.Equal("20000 20000 200 0 5000", await TextAsync(data, State));
        await RunAsync(data, statement);
        Assert.Equal("20000 20001 201 2 5003", await TextAsync(data, State));
    }

    private static async Task InitAsync(string psql, LocalPostgresServer server, params string[] files)
    {
        await server.CreateDatabaseAsync("shop");
        var environment = new Dictionary<string, string>
        {
            ["PGHOST"] = "127.0.0.1",
            ["PGPORT"] = server.Port.ToString(CultureInfo.InvariantCulture),
            ["PGUSER"] = "postgres",
            ["POSTGRES_USER"] = "postgres",
            ["POSTGRES_DB"] = "shop",
            ["MIGRATOR_PASSWORD"] = "it's a 'password'",
            ["SHOP_APP_PASSWORD"] = "shop",
        };
        foreach (var file in files)
        {
            var result = file.EndsWith(".sh", StringComparison.Ordinal)
                ? await ProcessRun.RunAsync("/bin/sh", [PathOf(file)], environment)
                : await ProcessRun.RunAsync(psql, ["-v", "ON_ERROR_STOP=1", "-q", "-d", "shop", "-f", PathOf(file)], environment);
            Assert.True(result.ExitCode == 0, $"{file}: {result.Error}{result.Output}");
        }
    }

    private static MigrationDefinition Definition(string connection) => new()
    {
        Name = "shop",
        Source = new SourceSection(SourceKind.PostgreSql, connection),
        Target = new TargetSection(connection),
        Log = new LogSection { BootstrapServers = "kafka:19092", TopicPrefix = "shop" },
        Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
    };

    private static string PathOf(string file) => Repository.PathOf("compose", "init", file);

    private static async Task<string> TextAsync(NpgsqlDataSource data, string sql)
    {
        await using var command = data.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static async Task RunAsync(NpgsqlDataSource data, string sql)
    {
        await using var command = data.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
