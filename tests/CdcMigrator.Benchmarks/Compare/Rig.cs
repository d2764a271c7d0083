using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using CdcMigrator.Embedded.Servers;
using CdcMigrator.TestKit;
using CdcMigrator.TestKit.Kit;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>What every contestant shares: the kit, a source server, a target server, and databases made from one template.</summary>
internal sealed class Rig(KitFixture kit) : IAsyncDisposable
{
    public const string Template = "before";
    private readonly HttpClient connect = new() { BaseAddress = kit.ConnectUrl, Timeout = TimeSpan.FromMinutes(2) };
    private int databases;

    public KitFixture Kit => kit;

    public LocalPostgresServer SourceServer { get; private set; } = null!;

    public LocalPostgresServer TargetServer { get; private set; } = null!;

    public NpgsqlDataSource Source { get; private set; } = null!;

    public string SourceConnection { get; private set; } = "";

    /// <summary>Both servers commit to disk as they do by default, and note commit times, from which latency is taken.</summary>
    public async Task StartAsync(IReadOnlyList<Workload> workloads)
    {
        var settings = new Dictionary<string, string>
        {
            ["max_wal_size"] = "8GB",
            ["shared_buffers"] = "512MB",
            ["track_commit_timestamp"] = "on",
            ["logical_decoding_work_mem"] = "256MB",
        };
        var found = PostgresInstallation.FindAll();
        SourceServer = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Fsync = true, Settings = settings, Installation = found.Count > 0 ? found[0] : null });
        TargetServer = await LocalPostgresServer.StartAsync(new LocalPostgresOptions { Fsync = true, Settings = settings, Installation = found.Count > 0 ? found[0] : null });
        var schema = string.Join(";\n", workloads.SelectMany(workload => new[] { workload.Schema, workload.Before }).Append(LatencyRun.Schema).Where(sql => sql.Length > 0));
        await TargetServer.CreateDatabaseAsync(Template, schema);
        SourceConnection = await SourceServer.CreateDatabaseAsync("shop", schema + "; create schema cdc_migrator; create table cdc_migrator.fence(id text primary key, v text)");
        Source = NpgsqlDataSource.Create(SourceConnection + ";Command Timeout=0");
    }

    /// <summary>A fresh target: empty tables, but for the rows that are there before the changes.</summary>
    public async Task<string> CreateTargetAsync()
    {
        var name = $"run{++databases}";
        await using var server = NpgsqlDataSource.Create(TargetServer.ConnectionString() + ";Pooling=false;Command Timeout=0");
        await using (var create = server.CreateCommand($"create database {name} template {Template}"))
        {
            await create.ExecuteNonQueryAsync();
        }

        var connection = TargetServer.ConnectionString(name);
        await using var database = NpgsqlDataSource.Create(connection + ";Pooling=false;Command Timeout=0");
        await using var checkpoint = database.CreateCommand("checkpoint");
        await checkpoint.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Puts a connector and waits until its task runs.</summary>
    public async Task PutAsync(string name, JsonObject config)
    {
        using var answer = await connect.PutAsJsonAsync(new Uri($"connectors/{name}/config", UriKind.Relative), config);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"Connect refused {name}: {await answer.Content.ReadAsStringAsync()}");
        }

        while (await FailureAsync(name) is { } failure)
        {
            await Task.Delay(100);
            if (failure.Length > 0)
            {
                throw new InvalidOperationException($"connector {name} failed: {failure}");
            }
        }
    }

    /// <summary>Why a connector does not run: an empty text while it starts, null where it does.</summary>
    public async Task<string?> FailureAsync(string name)
    {
        using var answer = await connect.GetAsync(new Uri($"connectors/{name}/status", UriKind.Relative));
        if (!answer.IsSuccessStatusCode)
        {
            return "";
        }

        using var status = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var tasks = status.RootElement.GetProperty("tasks").EnumerateArray().ToList();
        var failed = tasks.FirstOrDefault(task => task.GetProperty("state").GetString() == "FAILED");
        return failed.ValueKind == JsonValueKind.Object ? string.Join(" / ", failed.GetProperty("trace").GetString()!.Split('\n').Where(line => !line.StartsWith('\t')))
            : tasks.Count > 0 && tasks.All(task => task.GetProperty("state").GetString() == "RUNNING") ? null : "";
    }

    /// <summary>Ends a connector's tasks; its configuration stays readable.</summary>
    public async Task StopAsync(string name)
    {
        using var answer = await connect.PutAsync(new Uri($"connectors/{name}/stop", UriKind.Relative), null);
        answer.EnsureSuccessStatusCode();
        await WaitAsync(async () => (await connect.GetStringAsync(new Uri($"connectors/{name}/status", UriKind.Relative))).Contains("\"tasks\":[]", StringComparison.Ordinal));
    }

    public async Task DeleteAsync(string name)
    {
        using var answer = await connect.DeleteAsync(new Uri($"connectors/{name}", UriKind.Relative));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>A source connector's settings as the repository recommends them, on this rig.</summary>
    public JsonObject SourceConnector(string prefix, string format, IEnumerable<string> tables)
    {
        var file = format == "avro" ? "postgres-avro.json" : format == "json-schema" ? "postgres-json-schema.json" : "postgres-json.json";
        var text = File.ReadAllText(Repository.PathOf("connectors", file)).Replace("http://registry.example:8080/apis/registry/v2", kit.ApicurioUrl.ToString(), StringComparison.Ordinal);
        var config = JsonNode.Parse(text)!.AsObject();
        var target = new NpgsqlConnectionStringBuilder(SourceConnection);
        config["database.hostname"] = target.Host;
        config["database.port"] = target.Port.ToString(CultureInfo.InvariantCulture);
        config["database.user"] = target.Username;
        config["database.password"] = "unused";
        config["database.dbname"] = target.Database;
        config["topic.prefix"] = prefix;
        config["slot.name"] = $"cdcm_{prefix}";
        config["publication.name"] = $"cdcm_{prefix}";
        config["table.include.list"] = string.Join(',', tables.Select(table => $"public.{table}").Append("cdc_migrator.fence"));
        config["snapshot.mode"] = "no_data";

        // The JDBC sink knows fields by their names; those of these tables need no adjusting.
        config["field.name.adjustment.mode"] = "none";

        // The JDBC sink cannot write text into numeric columns; cdcm reads either form.
        config["decimal.handling.mode"] = format == "avro" ? "precise" : config["decimal.handling.mode"]!.GetValue<string>();
        return config;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> ScalarAsync<T>(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Waits for a condition, an hour at most.</summary>
    public static async Task WaitAsync(Func<Task<bool>> condition)
    {
        for (var n = 0; !await condition(); n++)
        {
            if (n > 36_000)
            {
                throw new TimeoutException("waited an hour in vain");
            }

            await Task.Delay(100);
        }
    }

    public async ValueTask DisposeAsync()
    {
        connect.Dispose();
        if (Source is not null)
        {
            await Source.DisposeAsync();
        }

        if (SourceServer is not null)
        {
            await SourceServer.DisposeAsync();
        }

        if (TargetServer is not null)
        {
            await TargetServer.DisposeAsync();
        }
    }
}
