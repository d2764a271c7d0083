using System.Net;
using System.Net.Sockets;
using CdcMigrator.Connect;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.Embedded.Workload;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Resyncing;
using CdcMigrator.Streaming.Inspection;
using CdcMigrator.TestKit.Kit;
using CdcMigrator.TestKit.Processes;
using Confluent.Kafka;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>
/// One real migration: two PostgreSQL servers of its own, a Debezium connector in the kit, a migration file, and the processes of
/// <c>cdcm run</c> a test starts, kills and pauses. Everything is done with the commands a user has.
/// </summary>
internal sealed class MigrationStack : IAsyncDisposable
{
    private readonly KitFixture kit;
    private readonly string folder = Directory.CreateTempSubdirectory("cdcm-e2e-").FullName;
    private readonly List<ServiceProcess> services = [];
    private int files;
    private MigrationFormat format;

    private MigrationStack(KitFixture kit, string name)
    {
        this.kit = kit;
        Name = name;
    }

    public string Name { get; }

    public LocalPostgresServer SourceServer { get; private set; } = null!;

    public LocalPostgresServer TargetServer { get; private set; } = null!;

    public NpgsqlDataSource Source { get; private set; } = null!;

    public NpgsqlDataSource Target { get; private set; } = null!;

    public string SourceConnection { get; private set; } = "";

    public string TargetConnection { get; private set; } = "";

    public IReadOnlyList<TableName> Tables => [.. Mappings.Select(mapping => mapping.Source)];

    /// <summary>How the tables are moved.</summary>
    public IReadOnlyList<TableMapping> Mappings { get; private set; } = [];

    /// <summary>Slot the registered connector reads.</summary>
    public string Slot => ConnectorNames.Slot(Name);

    public static Task<MigrationStack> StartAsync(KitFixture kit, string name, string schema, IReadOnlyList<TableName> tables, Func<string, Task> seed) =>
        StartAsync(kit, name, (schema, schema), [.. tables.Select(table => new TableMapping { Source = table, Target = table })], seed);

    public static async Task<MigrationStack> StartAsync(
        KitFixture kit, string name, (string Source, string Target) schemas, IReadOnlyList<TableMapping> mappings, Func<string, Task> seed)
    {
        var stack = new MigrationStack(kit, name) { Mappings = mappings };
        try
        {
            var found = PostgresInstallation.FindAll();
            stack.SourceServer = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Installation = found.Count > 0 ? found[0] : null });
            stack.TargetServer = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Installation = found.Count > 0 ? found[^1] : null });
            stack.SourceConnection = await stack.SourceServer.CreateDatabaseAsync("shop", schemas.Source);
            await seed(stack.SourceConnection);
            stack.TargetConnection = await stack.TargetServer.CreateDatabaseAsync("shop", schemas.Target);
            stack.Source = NpgsqlDataSource.Create(stack.SourceConnection);
            stack.Target = NpgsqlDataSource.Create(stack.TargetConnection);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds a table to the files written from now on; it is in both databases.</summary>
    public void Add(TableMapping mapping) => Mappings = [.. Mappings, mapping];

    /// <summary>How services started from now on are members of their group. Named is for one process at a time.</summary>
    public GroupMembership Membership { get; set; } = GroupMembership.Named;

    /// <summary>Whether the files written from now on have rows parked that can never be applied.</summary>
    public bool ParksPoison { get; set; }

    /// <summary>What the files written from now on say in their cutover section, as a YAML flow mapping.</summary>
    public string Cutover { get; set; } = "{}";

    /// <summary>Folder whose files hold or kill the attempts of services started from now on; null: none does.</summary>
    public string? FailPoints { get; set; }

    /// <summary>The section <c>verify</c> of the files written from now on.</summary>
    public string Verify { get; set; } = "{ }";

    /// <summary>Writes a migration file whose service listens on a free port; returns its path.</summary>
    public (string Path, Uri Address) WriteFile()
    {
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var path = Path.Combine(folder, $"migration-{Interlocked.Increment(ref files)}.yaml");
        File.WriteAllText(path, $$"""
            migration: {{Name}}
            source:  { kind: postgresql, connection: "{{SourceConnection}}" }
            target:  { connection: "{{TargetConnection}}" }
            log:
              kind: kafka
              bootstrapServers: "{{kit.BootstrapServers}}"
              topicPrefix: {{Name}}
              format: {{(format == MigrationFormat.Avro ? "avro" : "json")}}
            {{(format == MigrationFormat.Avro ? $"  schemaRegistry: \"{kit.RegistryUrl}\"" : "")}}
              client: { {{Client(Membership, Name)}} }
            connect: { url: "{{kit.ConnectUrl}}", connector: {{Name}}-source }
            tables:  [ {{string.Join(", ", Mappings.Select(table => $"{{ source: {table.Source}, keyless: {(table.Keyless ? "true" : "false")}, onePartition: {(table.OnePartition ? "true" : "false")} }}"))}} ]
            apply:   { onPoison: {{(ParksPoison ? "deadLetter" : "halt")}} }
            cutover: {{Cutover}}
            verify:  {{Verify}}
            service: { url: "{{address}}" }
            """);
        return (path, address);
    }

    /// <summary>The migration file's content as the service sees it, for tests that compose it in this process.</summary>
    public MigrationDefinition Definition(MigrationFormat serialisation) => new()
    {
        Name = Name,
        Source = new SourceSection(SourceKind.PostgreSql, SourceConnection),
        Target = new TargetSection(TargetConnection),
        Log = new LogSection
        {
            BootstrapServers = kit.BootstrapServers,
            TopicPrefix = Name,
            Format = serialisation == MigrationFormat.Avro ? LogFormat.Avro : LogFormat.Json,
            SchemaRegistry = serialisation == MigrationFormat.Avro ? kit.RegistryUrl : null,
        },
        Connect = new ConnectSection(kit.ConnectUrl, $"{Name}-source"),
        Tables = Mappings,
    };

    /// <summary>Registers the connector with the command line, in one of the formats.</summary>
    public async Task RegisterAsync(MigrationFormat serialisation)
    {
        format = serialisation;
        string[] verb = ["connector", "register", "-f", WriteFile().Path];
        var result = await Cdcm.RunAsync(format == MigrationFormat.JsonWithSchema ? [.. verb, "--json-schemas"] : verb);
        Assert.True(result.ExitCode == 0, $"connector register: {result.Error}{result.Output}");
    }

    /// <summary>Starts a service process.</summary>
    public ServiceProcess StartService()
    {
        var (path, address) = WriteFile();
        var run = FailPoints is null ? Cdcm.Start("run", "-f", path) : ProcessRun.Start("env", [$"CDCM_FAILPOINTS={FailPoints}", "dotnet", Cdcm.Assembly, "run", "-f", path]);
        var service = new ServiceProcess(run, address);
        services.Add(service);
        return service;
    }

    /// <summary>Runs a verb on a fresh file and returns how it ended.</summary>
    public Task<ProcessResult> RunAsync(params string[] verb) => Cdcm.RunAsync([.. verb, "-f", WriteFile().Path]);

    /// <summary>
    /// Waits until everything written before the call is in the target: marker written, slot and stored offset past it, end offsets taken after that,
    /// progress past those. Independent of the service's own drain proof.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var marker = await FenceTable.WriteMarkerAsync(Source, cancellationToken);
        await WaitAsync("the slot to confirm the marker", async () =>
            await SlotState.ReadAsync(Source, Slot, cancellationToken) is { } slot && slot.ConfirmedFlushLsn >= marker.Lsn, cancellationToken);
        using var connect = new ConnectClient(kit.ConnectUrl);
        await WaitAsync("Connect to store an offset behind the marker", async () =>
            ConnectorProgress.Of(await connect.FindOffsetsAsync($"{Name}-source", cancellationToken), Name).Confirmed >= marker.Lsn, cancellationToken);
        using var inspector = new LogInspector(kit.BootstrapServers);
        var topics = Tables.Append(FenceTable.Name).Select(table => $"{Name}.{table}").ToList();

        // A broker that has just come back may leave partitions out.
        var ends = await inspector.ReadTopicRangesAsync(topics, (await ProgressAsync(cancellationToken)).Keys.Where(lane => topics.Contains(lane.Topic)), cancellationToken);
        await WaitAsync("progress to pass the end offsets", async () =>
        {
            var progress = await ProgressAsync(cancellationToken);
            return ends.All(end => end.Value.End == 0 || progress.GetValueOrDefault(end.Key, 0) >= end.Value.End);
        }, cancellationToken);
    }

    /// <summary>Committed progress by lane.</summary>
    public async Task<Dictionary<LaneId, long>> ProgressAsync(CancellationToken cancellationToken)
    {
        var progress = new Dictionary<LaneId, long>();
        try
        {
            await using var command = Target.CreateCommand("select topic, partition, next_offset from cdc_migrator.progress where migration = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = Name });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                progress[new LaneId(reader.GetString(0), reader.GetInt32(1))] = reader.GetInt64(2);
            }
        }
        catch (NpgsqlException)
        {
            // The target is being killed and restarted: no progress is known now.
        }

        return progress;
    }

    /// <summary>What the log has of a row, where its keys are JSON: for whoever reads whether the connector lost a change or a lane did.</summary>
    public IReadOnlyList<string> ReadRecords(RowKey row)
    {
        using var consumer = new ConsumerBuilder<string, string>(new ConsumerConfig { BootstrapServers = kit.BootstrapServers, GroupId = $"{Name}-reader", EnableAutoCommit = false, EnablePartitionEof = true }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var topic = $"{Name}.public.{row.Table}";
        var partitions = admin.GetMetadata(topic, TimeSpan.FromSeconds(30)).Topics[0].Partitions;
        consumer.Assign(partitions.Select(partition => new TopicPartitionOffset(topic, partition.PartitionId, Offset.Beginning)));
        var values = row.Key.Split('/');
        var found = new List<string>();
        for (var ended = 0; ended < partitions.Count;)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(30));
            ended += record is null or { IsPartitionEOF: true } ? 1 : 0;
            if (record is { IsPartitionEOF: false, Message.Key: { } key } && values.All(value => System.Text.RegularExpressions.Regex.IsMatch(key, $":{value}[,}}]")))
            {
                found.Add($"{record.Partition.Value}@{record.Offset.Value} {record.Message.Value}");
            }
        }

        return found;
    }

    /// <summary>Waits for a condition; what a hung wait was for is in the message. Never a measure of speed.</summary>
    public async Task WaitAsync(string what, Func<Task<bool>> condition, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
            {
                var logs = string.Join("\n---\n", services.Select(service => string.Join('\n', service.Log.Split('\n').TakeLast(25))));
                var gates = await Task.WhenAll(services.Where(service => !service.HasExited).Select(service => service.DescribeGatesAsync()));
                Assert.Fail($"waited in vain for {what}\n{string.Join('\n', gates)}\n{logs}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Entries of <c>log.client</c>.</summary>
    internal static string Client(GroupMembership membership, string name) => membership switch
    {
        GroupMembership.Named => $"group.protocol: classic, group.instance.id: {name}-1",
        GroupMembership.ShortSession => "group.protocol: classic, session.timeout.ms: 6000, heartbeat.interval.ms: 1000",
        _ => "",
    };

    public async ValueTask DisposeAsync()
    {
        foreach (var service in services)
        {
            await service.DisposeAsync();
        }

        if (kit.Command is not null)
        {
            using var http = new HttpClient { BaseAddress = kit.ConnectUrl };
            try
            {
                await http.DeleteAsync(new Uri($"connectors/{Name}-source", UriKind.Relative));
                await http.DeleteAsync(new Uri($"connectors/{Name}-source-back", UriKind.Relative));
            }
            catch (HttpRequestException)
            {
                // Connect is down: it goes with the kit.
            }
        }

        if (Source is not null)
        {
            await Source.DisposeAsync();
        }

        if (Target is not null)
        {
            await Target.DisposeAsync();
        }

        if (SourceServer is not null)
        {
            await SourceServer.DisposeAsync();
        }

        if (TargetServer is not null)
        {
            await TargetServer.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
