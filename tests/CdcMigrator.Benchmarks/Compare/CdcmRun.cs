using System.Globalization;
using CdcMigrator.TestKit;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>A <c>cdcm run</c> process with default settings, as a user starts it.</summary>
internal sealed class CdcmRun : IAsyncDisposable
{
    private static readonly string Program = Repository.PathOf("artifacts", "bin", "CdcMigrator.Cli", "release", "cdcm.dll");
    private static int files;
    private readonly ProcessRun process;
    private readonly string folder;

    private CdcmRun(ProcessRun process, string folder)
    {
        this.process = process;
        this.folder = folder;
    }

    public int ProcessId => process.Id;

    /// <summary>Starts it on a prefix's topics.</summary>
    /// <param name="rig">Where.</param>
    /// <param name="prefix">Topic prefix.</param>
    /// <param name="format">json or avro.</param>
    /// <param name="tables">Tables to move.</param>
    /// <param name="target">Connection string of the target.</param>
    /// <param name="connector">The connector to read the settings of; null takes the recommended ones as given.</param>
    /// <param name="environment">Environment variables of the process.</param>
    /// <param name="program">Another build's cdcm.dll; null takes this checkout's.</param>
    public static CdcmRun Start(
        Rig rig, string prefix, string format, IEnumerable<string> tables, string target, string? connector, IReadOnlyDictionary<string, string>? environment = null, string? program = null)
    {
        var folder = Directory.CreateTempSubdirectory("cdcm-bench-").FullName;
        var path = Path.Combine(folder, "migration.yaml");
        var name = $"bench{Interlocked.Increment(ref files)}";
        File.WriteAllText(path, $$"""
            migration: {{name}}
            source:  { kind: postgresql, connection: "{{rig.SourceConnection}}" }
            target:  { connection: "{{target}}" }
            log:
              kind: kafka
              bootstrapServers: "{{rig.Kit.BootstrapServers}}"
              topicPrefix: {{prefix}}
              format: {{(format == "avro" ? "avro" : "json")}}
            {{(format == "avro" ? $"  schemaRegistry: \"{rig.Kit.RegistryUrl}\"" : "")}}
            {{(connector is null ? RecommendedSettings : $"connect: {{ url: \"{rig.Kit.ConnectUrl}\", connector: {connector} }}")}}
            tables:
            {{string.Join('\n', tables.Select(table => $"  - public.{table}"))}}
            service: { url: "http://127.0.0.1:0" }
            {{Environment.GetEnvironmentVariable("CDCM_BENCH_YAML")}}
            """);
        return new CdcmRun(ProcessRun.Start("dotnet", [program ?? Program, "run", "-f", path], environment), folder);
    }

    private static string RecommendedSettings => """
          settings: { decimal.handling.mode: string, time.precision.mode: microseconds, interval.handling.mode: string, binary.handling.mode: bytes, hstore.handling.mode: json,
            unavailable.value.placeholder: __debezium_unavailable_value, value.converter.replace.null.with.default: "false" }
        """;

    /// <summary>Throws where it ended.</summary>
    public Task CheckAsync() => process.HasExited
        ? throw new InvalidOperationException($"cdcm run ended: {process.Output}{process.Error}")
        : Task.CompletedTask;

    /// <summary>Sends a signal by name.</summary>
    public Task SignalAsync(string name) => process.SignalAsync(name);

    public string Log => process.Output + process.Error;

    /// <summary>Peak resident memory so far, MB.</summary>
    public double PeakMb => Memory("VmHWM");

    /// <summary>Resident memory now, MB.</summary>
    public double ResidentMb => Memory("VmRSS");

    /// <summary>Applies one workload and is measured doing so.</summary>
    public static async Task<Result> MeasureAsync(Rig rig, Workload workload, string format, string? program = null)
    {
        var connection = await rig.CreateTargetAsync();
        await using var target = NpgsqlDataSource.Create(connection);
        await using var run = Start(rig, Topics.Prefix(format), format, [workload.Table], connection, Topics.Prefix(format), null, program);
        var result = new Result(workload.Name, program is null ? "cdcm, default settings" : $"cdcm of {program}", format, 0, false);
        result = await Stretch.MeasureAsync(result, rig, target, workload, run.CheckAsync, run.ProcessId);
        return result with { PeakMb = run.PeakMb };
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private double Memory(string field)
    {
        var line = File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
