using System.Globalization;
using CdcMigrator.Domain.Benchmarking;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.MariaDb.Benchmarking;
using CdcMigrator.Postgres.Benchmarking;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Control;
using CdcMigrator.Reconciliation.Benchmarking;

namespace CdcMigrator.Service.Benchmarking;

/// <summary>Runs queries of the application on both sides and compares time and results. On the application's tables nothing is written; results go to the target's control schema.</summary>
public static class MigrationBenchmark
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Runs the benchmarks of the file and notes their results in the target, where the gate reads them.</summary>
    /// <param name="definition">The migration.</param>
    /// <param name="names">Those to run; all where it is empty.</param>
    /// <param name="limit">Longest time of one query.</param>
    /// <param name="done">Told of each result.</param>
    /// <param name="cancellationToken">Stops it; what is done is noted.</param>
    /// <exception cref="FaultException">Configuration: there are none, or none of that name. Or a side does not answer.</exception>
    public static async Task<IReadOnlyList<BenchmarkResult>> RunAsync(
        MigrationDefinition definition, IReadOnlyCollection<string> names, TimeSpan limit, Action<BenchmarkResult> done, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(done);
        if (definition.Benchmarks.Count == 0)
        {
            throw new FaultException(FaultKind.Configuration, "no-benchmarks", "The migration file has no benchmarks", "Add 'benchmarks:', or take the busiest statements with 'cdcm benchmark -f FILE --top 20'");
        }

        if (names.Except(definition.Benchmarks.Select(benchmark => benchmark.Name)).ToList() is { Count: > 0 } unknown)
        {
            throw new FaultException(FaultKind.Configuration, "unknown-benchmark", $"The migration file has no benchmark {string.Join(", ", unknown)}", $"It has {string.Join(", ", definition.Benchmarks.Select(benchmark => benchmark.Name))}");
        }

        await using var source = await OpenSourceAsync(definition, limit, cancellationToken);
        await using var target = await PostgresReads.OpenAsync(definition.Target.Connection, limit, cancellationToken);
        await using var control = PostgresConnections.CreateControl(definition.Target.Connection);
        await ControlSchema.MigrateAsync(control, cancellationToken);
        var store = new BenchmarkStore(control, definition.Name);
        var run = new BenchmarkRun(source, target, definition.Source.Kind != SourceKind.PostgreSql, TimeProvider.System, Pause);
        var results = new List<BenchmarkResult>();
        foreach (var benchmark in definition.Benchmarks.Where(benchmark => names.Count == 0 || names.Contains(benchmark.Name)))
        {
            var result = await run.RunAsync(benchmark, cancellationToken);
            await store.NoteAsync(result, cancellationToken);
            results.Add(result);
            done(result);
        }

        return results;
    }

    /// <summary>Runs the source's busiest statements, as far as they can be run as <c>pg_stat_statements</c> keeps them. Nothing is noted.</summary>
    /// <exception cref="FaultException">NotAllowed: another source than PostgreSQL. Configuration: the extension is not there.</exception>
    public static async Task<IReadOnlyList<BenchmarkResult>> RunTopAsync(
        MigrationDefinition definition, int most, int runs, TimeSpan limit, Action<BenchmarkResult> done, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(done);
        if (definition.Source.Kind != SourceKind.PostgreSql)
        {
            throw new FaultException(FaultKind.NotAllowed, "no-statements", "The busiest statements are read from pg_stat_statements, which a MariaDB or MySQL source does not have", "Write the queries under 'benchmarks:' of the migration file");
        }

        await using var source = await PostgresReads.OpenAsync(definition.Source.Connection, limit, cancellationToken);
        await using var target = await PostgresReads.OpenAsync(definition.Target.Connection, limit, cancellationToken);
        var statements = await source.ReadTopAsync(most, cancellationToken)
            ?? throw new FaultException(FaultKind.Configuration, "no-statements", "The source has no extension pg_stat_statements", "CREATE EXTENSION pg_stat_statements, with it in shared_preload_libraries; or write queries under 'benchmarks:' of the migration file");
        var run = new BenchmarkRun(source, target, acrossEngines: false, TimeProvider.System, Pause);
        var results = new List<BenchmarkResult>();
        foreach (var (sql, i) in statements.Select((sql, i) => (sql, i)))
        {
            var benchmark = new Benchmark($"{(i + 1).ToString(CultureInfo.InvariantCulture)}: {Short(sql)}", sql, sql, runs);
            var result = await WhyNotAsync(source, definition, benchmark, cancellationToken) is { } reason
                ? new BenchmarkResult(benchmark.Name, benchmark.Fingerprint, BenchmarkOutcome.Skipped, TimeProvider.System.GetUtcNow()) { Reason = reason, MaxRatio = benchmark.MaxRatio }
                : await run.RunAsync(benchmark, cancellationToken);
            results.Add(result);
            done(result);
        }

        return results;
    }

    private static async Task<IReadSide> OpenSourceAsync(MigrationDefinition definition, TimeSpan limit, CancellationToken cancellationToken) =>
        definition.Source.Kind == SourceKind.PostgreSql
            ? await PostgresReads.OpenAsync(definition.Source.Connection, limit, cancellationToken)
            : await MariaDbReads.OpenAsync(definition.Source.Connection, limit, cancellationToken);

    /// <summary>Why a statement of others is not run: it cannot be, it asks the server itself, or it reads tables that are not moved.</summary>
    private static async Task<string?> WhyNotAsync(PostgresReads source, MigrationDefinition definition, Benchmark benchmark, CancellationToken cancellationToken)
    {
        if (BenchmarkRun.Refuse(benchmark.Source) is { } refused)
        {
            return refused;
        }

        if (QueryText.Read(benchmark.Source).IsOfServer)
        {
            return "it asks the server itself, the clock or chance: its answer belongs to one server and moment";
        }

        try
        {
            var tables = await source.ReadTablesAsync(benchmark.Source, cancellationToken);
            return tables.Count == 0 || !tables.Any(table => definition.Tables.Any(mapping => mapping.Source == table)) ? "it reads no table of the migration" : null;
        }
        catch (FaultException fault) when (fault.Fault.Code is "query" or "query-time")
        {
            return fault.Fault.Message;
        }
    }

    private static string Short(string sql)
    {
        var text = string.Join(' ', sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= 60 ? text : $"{text[..59]}…";
    }
}
