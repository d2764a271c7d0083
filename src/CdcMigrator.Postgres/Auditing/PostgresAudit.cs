using System.Diagnostics;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Postgres.Faults;
using CdcMigrator.Postgres.Preflight;
using Npgsql;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>Surveys a PostgreSQL source: definitions, values, keys, the server. Reads only, each table once, in transactions no longer than that; may be run any time.</summary>
public static class PostgresAudit
{
    /// <summary>Surveys it.</summary>
    /// <param name="definition">The migration.</param>
    /// <param name="carriage">What events carry of a type; null for a log that carries PostgreSQL's own text.</param>
    /// <param name="options">How much to read.</param>
    /// <param name="progress">Told of every table that is done, from any thread.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FaultException">The source does not answer, or refuses the login.</exception>
    public static async Task<AuditReport> RunAsync(
        MigrationDefinition definition, Func<ColumnType, Carriage>? carriage, AuditOptions options, Action<AuditProgress> progress, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentNullException.ThrowIfNull(time);
        try
        {
            await using var database = PostgresConnections.CreateAudit(definition.Source.Connection);
            return await RunAsync(database, definition, carriage, options, progress, time, cancellationToken);
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private static async Task<AuditReport> RunAsync(
        NpgsqlDataSource database, MigrationDefinition definition, Func<ColumnType, Carriage>? carriage, AuditOptions options, Action<AuditProgress> progress, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var (at, started) = (time.GetUtcNow(), Stopwatch.GetTimestamp());
        var mappings = definition.Tables.ToDictionary(table => table.Source);
        var (server, findings) = await ServerAudit.ReadAsync(database, cancellationToken);
        var all = new List<Finding>(findings);
        all.AddRange(await SourceServerChecks.CheckAsync(database, definition.Log.Kind, SideWords.Forward, cancellationToken));
        var (extensions, ofExtensions) = await ServerAudit.ExtensionsAsync(database, cancellationToken);
        all.AddRange(ofExtensions);
        all.AddRange(await ServerAudit.BesideAsync(database, mappings.Keys, cancellationToken));
        var counters = await AuditCatalog.ReadCountersAsync(database, mappings.Keys, cancellationToken);
        var window = Task.Delay(options.RateWindow, time, cancellationToken);
        var tables = await AuditCatalog.ReadAsync(database, mappings.Keys, cancellationToken);
        all.AddRange(await MoneyAsync(database, definition, tables, cancellationToken));
        all.AddRange(mappings.Keys.Except(tables.Select(table => table.Catalog.Name))
            .Where(name => !all.Exists(finding => finding.Code == "foreign-table" && finding.Table == name.ToString()))
            .Select(name => new Finding(Severity.Error, "missing-table", $"The source has no table {name}", "Correct 'tables:' in the migration file") { Table = name.ToString() }));

        var scan = new TableScan(database, server.Version, server.IsUtf8, carriage);
        var done = 0;
        var profiled = new (TableProfile Profile, IReadOnlyList<Finding> Findings)[tables.Count];
        await Parallel.ForAsync(0, tables.Count, new ParallelOptions { MaxDegreeOfParallelism = options.TablesAtOnce, CancellationToken = cancellationToken }, async (i, token) =>
        {
            profiled[i] = await ProfileAsync(scan, tables[i], mappings[tables[i].Catalog.Name], definition, carriage, options, server, token);
            var profile = profiled[i].Profile;
            progress(new AuditProgress(profile.Table, Interlocked.Increment(ref done), tables.Count, profile.RowsRead == 0 && profile.Rows > 0 ? null : profile.RowsRead, profile.Seconds));
        });
        all.AddRange(profiled.SelectMany(table => table.Findings));
        var profiles = profiled.Select(table => table.Profile).ToList();

        var (keys, ofKeys) = await ForeignKeys.ReadAsync(
            database, tables.ToDictionary(table => table.Catalog.Name, table => options.PercentOf(table.EstimatedRows)), options.StatementTimeout, cancellationToken);
        all.AddRange(ofKeys);
        progress(new AuditProgress("foreign keys", done, tables.Count, null, 0));
        await window;
        var measured = MeasuredRates.Between(counters, await AuditCatalog.ReadCountersAsync(database, mappings.Keys, cancellationToken));
        IReadOnlyList<SequenceProfile> sequences = [];
        try
        {
            (sequences, var ofSequences) = await SequenceAudit.ReadAsync(database, profiles, [.. mappings.Keys.Select(table => table.Schema).Distinct()], cancellationToken);
            all.AddRange(ofSequences);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            all.Add(new Finding(Severity.Warning, "not-scanned", $"Sequences were not read: {exception.MessageText}", "Run the audit again when the schema change is over"));
        }

        return new AuditReport
        {
            Migration = definition.Name,
            At = at,
            Seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2),
            Source = server.Profile,
            Tables = profiles,
            ForeignKeys = keys,
            Sequences = sequences,
            Extensions = extensions,
            Measured = measured,
            Findings = Sorted(all),
        };
    }

    private static async Task<(TableProfile Profile, IReadOnlyList<Finding> Findings)> ProfileAsync(
        TableScan scan, AuditedTable table, TableMapping mapping, MigrationDefinition definition, Func<ColumnType, Carriage>? carriage, AuditOptions options, ServerFacts server, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>(TableRules.Of(table, mapping, carriage));
        var (name, percent) = (table.Catalog.Name.ToString(), options.PercentOf(table.EstimatedRows));
        var reading = await scan.ReadAsync(table.Catalog, mapping, percent, options.StatementTimeout, cancellationToken);
        if (reading.Trouble is { } trouble)
        {
            findings.Add(new Finding(Severity.Warning, "not-scanned", $"{name} was not profiled: {trouble}", reading.Fix) { Table = name });
        }
        else if (percent < 100)
        {
            findings.Add(new Finding(Severity.Info, "sampled", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name} was read in part: {percent} % of its blocks, {reading.Rows:N0} rows. What a sample does not show may be there"), "--sample none reads all of it") { Table = name });
        }

        findings.AddRange(reading.Answers.Select(answer => ValueChecks.Find(answer, table.Catalog, mapping.Reselect.Contains(answer.Column), mapping.Keyless, SideWords.Forward)).OfType<Finding>());
        findings.AddRange(RowRules.Of(mapping, reading.LargestRow, table.Catalog.ReplicaIdentity == 'f', definition.Apply.MaxRecordBytes));
        findings.AddRange(reading.Columns.SelectMany(column => ValueRules.Of(mapping, column, definition.Apply.MaxRecordBytes)));
        var key = table.Catalog.Keys.Count > 0 ? table.Catalog.Keys[0] : null;
        return (new TableProfile(name, table.Catalog.Kind == 'p' ? "partitioned" : "table")
        {
            Rows = percent < 100 || reading.Rows is null ? table.EstimatedRows : reading.Rows.Value,
            RowsRead = reading.Rows ?? 0,
            SamplePercent = percent,
            Bytes = table.Bytes,
            ToastBytes = table.ToastBytes,
            LargestRowBytes = reading.LargestRow,
            NotProfiled = reading.Trouble,
            Key = key is null ? [] : [.. key.Columns.Select(column => table.Catalog.Columns[column].Column.Name)],
            Identity = table.Catalog.ReplicaIdentity switch { 'f' => "full", 'n' => "nothing", 'i' => $"index {table.Catalog.IdentityIndex}", _ => "default" },
            WritesPerSecond = Math.Round(table.Writes / server.CountingSeconds, 3),
            Parts = table.Parts,
            Triggers = table.Triggers,
            Columns = reading.Columns,
            Seconds = Math.Round(reading.Seconds, 2),
        }, findings);
    }

    /// <summary>How money is printed: so that the connector can read it, and alike on both sides, where the target answers.</summary>
    private static async Task<IReadOnlyList<Finding>> MoneyAsync(NpgsqlDataSource database, MigrationDefinition definition, IReadOnlyList<AuditedTable> tables, CancellationToken cancellationToken)
    {
        var excluded = definition.Tables.ToDictionary(table => table.Source, table => table.Exclude);
        var columns = tables.Select(table => (table.Catalog, table.Catalog.Columns.Where(column => !excluded[table.Catalog.Name].Contains(column.Column.Name)))).ToList();
        var findings = new List<Finding>(definition.Log.Kind == LogKind.Kafka ? await MoneyStyle.CheckAsync(database, columns, cancellationToken) : []);
        try
        {
            await using var target = PostgresConnections.CreateAudit(definition.Target.Connection);
            findings.AddRange(await MoneyStyle.CompareAsync(database, target, columns, cancellationToken));
        }
        catch (Exception exception) when (exception is FaultException || PostgresFaults.IsOfServer(exception))
        {
            // An audit comes before the target; preflight looks at both.
        }

        return findings;
    }

    /// <summary>One finding a code and place: what preflight and the values say alike is said once, by the graver.</summary>
    private static IReadOnlyList<Finding> Sorted(IEnumerable<Finding> findings) =>
    [
        .. findings.OrderByDescending(finding => finding.Severity).DistinctBy(finding => (finding.Code, finding.Table, finding.Column, finding.Column is null ? finding.Message : ""))
            .OrderByDescending(finding => finding.Severity).ThenBy(finding => finding.Table, StringComparer.Ordinal).ThenBy(finding => finding.Code, StringComparer.Ordinal)
            .ThenBy(finding => finding.Column, StringComparer.Ordinal),
    ];
}
