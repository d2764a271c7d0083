using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.EndToEndTests.Migration;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Fencing;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;
using MySqlConnector;
using Npgsql;

namespace CdcMigrator.EndToEndTests.MariaDb;

/// <summary>One real migration from a MariaDB database to a PostgreSQL one, with the commands a user has.</summary>
internal sealed class MariaDbStack : IAsyncDisposable
{
    private readonly KitFixture kit;
    private readonly string folder = Directory.CreateTempSubdirectory("cdcm-e2e-").FullName;
    private readonly List<ServiceProcess> services = [];
    private MigrationFormat format;
    private int files;

    private MariaDbStack(KitFixture kit, string name, string database)
    {
        this.kit = kit;
        Name = name;
        Database = database;
    }

    public string Name { get; }

    /// <summary>The source's database.</summary>
    public string Database { get; }

    public string SourceConnection { get; private set; } = "";

    public LocalPostgresServer TargetServer { get; private set; } = null!;

    public NpgsqlDataSource Target { get; private set; } = null!;

    public MySqlDataSource Source { get; private set; } = null!;

    /// <summary>Entries of <c>tables:</c>, in YAML's flow style.</summary>
    public IReadOnlyList<string> Tables { get; set; } = [];

    /// <summary>The section <c>apply:</c>, in YAML's flow style.</summary>
    public string Apply { get; set; } = "{}";

    public static async Task<MariaDbStack> StartAsync(KitFixture kit, MariaDbFixture mariaDb, string name, string sourceSql, string targetSql)
    {
        kit.Require();
        var server = await mariaDb.RequireAsync();
        var stack = new MariaDbStack(kit, name, await mariaDb.CreateAsync(sourceSql));
        try
        {
            stack.SourceConnection = server.ConnectionString(stack.Database);
            stack.Source = new MySqlDataSource($"{stack.SourceConnection};Allow User Variables=true;Treat Tiny As Boolean=false");
            stack.TargetServer = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Installation = PostgresInstallation.FindAll() is { Count: > 0 } found ? found[^1] : null });
            stack.Target = NpgsqlDataSource.Create(await stack.TargetServer.CreateDatabaseAsync("shop", targetSql));
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a migration file whose service listens on a free port.</summary>
    public (string Path, Uri Address) WriteFile()
    {
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var path = Path.Combine(folder, $"migration-{Interlocked.Increment(ref files)}.yaml");
        File.WriteAllText(path, $$"""
            migration: {{Name}}
            source:  { kind: mariadb, connection: "{{SourceConnection}}" }
            target:  { connection: "{{Target.ConnectionString}}" }
            log:
              kind: kafka
              bootstrapServers: "{{kit.BootstrapServers}}"
              topicPrefix: {{Name}}
              format: {{(format == MigrationFormat.Avro ? "avro" : "json")}}
            {{(format == MigrationFormat.Avro ? $"  schemaRegistry: \"{kit.RegistryUrl}\"" : "")}}
              client: { {{MigrationStack.Client(GroupMembership.Named, Name)}} }
            connect: { url: "{{kit.ConnectUrl}}", connector: {{Name}}-source }
            tables:
            {{string.Join('\n', Tables.Select(table => $"  - {table}"))}}
            apply: {{Apply}}
            service: { url: "{{address}}" }
            """);
        return (path, address);
    }

    /// <summary>Registers the connector with the command line.</summary>
    public async Task RegisterAsync(MigrationFormat serialisation)
    {
        format = serialisation;
        string[] verb = ["connector", "register", "-f", WriteFile().Path];
        var result = await Cdcm.RunAsync(format == MigrationFormat.JsonWithSchema ? [.. verb, "--json-schemas"] : verb);
        Assert.True(result.ExitCode == 0, $"connector register: {result.Error}{result.Output}");
    }

    /// <summary>Runs a verb on a fresh file.</summary>
    public Task<ProcessResult> RunAsync(params string[] verb) => Cdcm.RunAsync([.. verb, "-f", WriteFile().Path]);

    /// <summary>Starts a service process.</summary>
    public ServiceProcess StartService()
    {
        var (path, address) = WriteFile();
        var service = new ServiceProcess(Cdcm.Start("run", "-f", path), address);
        services.Add(service);
        return service;
    }

    /// <summary>Runs statements in the source.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await MariaDbConnections.OpenAsync(Source, TestContext.Current.CancellationToken);
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Waits for the service's own proof that everything written before the call is in the target.</summary>
    public async Task DrainAsync(ServiceProcess service, CancellationToken cancellationToken)
    {
        var marker = await FenceTable.WriteMarkerAsync(Source, cancellationToken);
        using var http = new HttpClient { BaseAddress = service.Address, Timeout = TimeSpan.FromMinutes(5) };
        var last = "no answer";
        await WaitAsync(() => $"the drain: {last}", async () =>
        {
            try
            {
                using var answer = await http.PostAsJsonAsync(new Uri("/api/drain", UriKind.Relative),
                    new { marker = marker.Id, lsn = SourcePosition.Format(marker.Lsn), timeoutMs = 5000 }, cancellationToken);
                last = await answer.Content.ReadAsStringAsync(cancellationToken);
                return answer.IsSuccessStatusCode && JsonDocument.Parse(last).RootElement.GetProperty("drained").GetBoolean();
            }
            catch (HttpRequestException exception)
            {
                last = exception.Message;
                return false;
            }
        }, cancellationToken);
    }

    /// <summary>Every row of a query in the source, columns joined by <c>|</c>, NULL as <c>∅</c>.</summary>
    public async Task<List<string>> SourceRowsAsync(string sql)
    {
        await using var connection = await MariaDbConnections.OpenAsync(Source, TestContext.Current.CancellationToken);
        await using var command = new MySqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        return await RowsAsync(reader);
    }

    /// <summary>Every row of a query in the target, likewise.</summary>
    public async Task<List<string>> TargetRowsAsync(string sql)
    {
        await using var command = Target.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        return await RowsAsync(reader);
    }

    /// <summary>Waits for a condition; what a hung wait was for is in the message.</summary>
    public async Task WaitAsync(Func<string> what, Func<Task<bool>> condition, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
            {
                Assert.Fail($"waited in vain for {what()}\n{string.Join("\n---\n", services.Select(service => string.Join('\n', service.Log.Split('\n').TakeLast(25))))}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in services)
        {
            await service.DisposeAsync();
        }

        using (var http = new HttpClient { BaseAddress = kit.ConnectUrl })
        {
            await http.DeleteAsync(new Uri($"connectors/{Name}-source", UriKind.Relative));
        }

        if (Source is not null)
        {
            await Source.DisposeAsync();
        }

        if (Target is not null)
        {
            await Target.DisposeAsync();
        }

        if (TargetServer is not null)
        {
            await TargetServer.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<List<string>> RowsAsync(System.Data.Common.DbDataReader reader)
    {
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "∅" : reader.GetString(i))));
        }

        return rows;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
