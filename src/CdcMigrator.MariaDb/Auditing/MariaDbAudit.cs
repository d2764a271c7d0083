using System.Diagnostics;
using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.MariaDb.Catalog;
using CdcMigrator.MariaDb.Connections;
using CdcMigrator.MariaDb.Faults;
using CdcMigrator.MariaDb.Preflight;
using MySqlConnector;

namespace CdcMigrator.MariaDb.Auditing;

/// <summary>Surveys a MariaDB or MySQL source: definitions, values, keys, the server. Reads only, each table once; may be run any time.</summary>
public static class MariaDbAudit
{
    private static readonly string[] Settings = ["log_bin", "binlog_format", "binlog_row_image", "binlog_row_value_options", "binlog_expire_logs_seconds", "expire_logs_days", "gtid_mode", "gtid_strict_mode", "sql_mode", "time_zone", "lower_case_table_names"];

    /// <summary>Surveys it.</summary>
    /// <param name="definition">The migration.</param>
    /// <param name="options">How much to read.</param>
    /// <param name="progress">Told of every table that is done, from any thread.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FaultException">The source does not answer, or refuses the login.</exception>
    public static async Task<AuditReport> RunAsync(MigrationDefinition definition, AuditOptions options, Action<AuditProgress> progress, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentNullException.ThrowIfNull(time);
        try
        {
            await using var source = MariaDbConnections.Create(definition.Source.Connection);
            return await RunAsync(source, definition, options, progress, time, cancellationToken);
        }
        catch (MySqlException exception)
        {
            throw MariaDbFaults.ToException(exception);
        }
    }

    private static async Task<AuditReport> RunAsync(
        MySqlDataSource source, MigrationDefinition definition, AuditOptions options, Action<AuditProgress> progress, TimeProvider time, CancellationToken cancellationToken)
    {
        var (at, started) = (time.GetUtcNow(), Stopwatch.GetTimestamp());
        await using var connection = await OpenAsync(source, cancellationToken);
        var findings = new List<Finding>(await SourceServerChecks.CheckAsync(connection, cancellationToken));
        var profile = await ProfileAsync(connection, definition.Source.Kind, cancellationToken);
        if (profile.Settings.GetValueOrDefault("binlog_row_value_options") is { Length: > 0 } partial)
        {
            findings.Add(new(Severity.Error, "binlog-row-value-options", $"binlog_row_value_options is {partial}: the binlog holds parts of JSON values only", "SET GLOBAL binlog_row_value_options = ''"));
        }

        var tables = new List<(SurveyedTable Table, TableMapping Mapping)>();
        var unread = new List<TableProfile>();
        await using var counting = await OpenAsync(source, cancellationToken);
        var counters = await CountersAsync(counting, time, cancellationToken);
        var window = Task.Delay(options.RateWindow, time, cancellationToken);
        foreach (var mapping in definition.Tables)
        {
            var survey = await FindAsync(connection, mapping, definition.Source.Kind == SourceKind.MariaDb, cancellationToken);
            if (survey.Trouble is { } trouble)
            {
                unread.Add(new TableProfile(mapping.Source.ToString(), "table") { NotProfiled = trouble.Message });
                findings.Add(NotProfiled(mapping.Source.ToString(), trouble));
            }
            else if (survey.Table is { } table)
            {
                tables.Add((table, mapping));
                findings.AddRange((await ValueChecks.CascadesAsync(connection, mapping.Source, cancellationToken)).Select(finding => finding with { Table = mapping.Source.ToString() }));
            }
            else
            {
                findings.Add(new Finding(Severity.Error, "missing-table", $"The source has no table {mapping.Source}", "Correct 'tables:' in the migration file: database.table") { Table = mapping.Source.ToString() });
            }
        }

        findings.AddRange(await BesideAsync(connection, definition, cancellationToken));
        var done = 0;
        var profiled = new (TableProfile Profile, IReadOnlyList<Finding> Findings)[tables.Count];
        await Parallel.ForAsync(0, tables.Count, new ParallelOptions { MaxDegreeOfParallelism = options.TablesAtOnce, CancellationToken = cancellationToken }, async (i, token) =>
        {
            profiled[i] = await ScanAsync(source, tables[i].Table, tables[i].Mapping, definition, options, token);
            var of = profiled[i].Profile;
            progress(new AuditProgress(of.Table, Interlocked.Increment(ref done), tables.Count, of.RowsRead == 0 && of.Rows > 0 ? null : of.RowsRead, of.Seconds));
        });
        findings.AddRange(profiled.SelectMany(table => table.Findings));
        var (keys, ofKeys) = await SurveyForeignKeys.ReadAsync(
            connection, tables.ToDictionary(table => table.Table.Catalog.Name, table => options.PercentOf(table.Table.EstimatedRows)), options.StatementTimeout, cancellationToken);
        findings.AddRange(ofKeys);
        progress(new AuditProgress("foreign keys", done, tables.Count, null, 0));
        await window;
        var measured = MeasuredRates.Between(counters, await CountersAsync(counting, time, cancellationToken));
        return new AuditReport
        {
            Migration = definition.Name,
            At = at,
            Seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2),
            Source = profile,
            Tables = [.. profiled.Select(table => table.Profile).Concat(unread).OrderBy(table => table.Table, StringComparer.Ordinal)],
            Measured = measured,
            ForeignKeys = keys,
            Sequences = [.. tables.Select(table => SurveyRules.Sequence(table.Table)).OfType<SequenceProfile>()],
            Findings =
            [
                .. findings.OrderByDescending(finding => finding.Severity).ThenBy(finding => finding.Table, StringComparer.Ordinal).ThenBy(finding => finding.Code, StringComparer.Ordinal)
                    .ThenBy(finding => finding.Column, StringComparer.Ordinal),
            ],
        };
    }

    private static async Task<(TableProfile Profile, IReadOnlyList<Finding> Findings)> ScanAsync(
        MySqlDataSource source, SurveyedTable table, TableMapping mapping, MigrationDefinition definition, AuditOptions options, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var (name, percent) = (mapping.Source.ToString(), options.PercentOf(table.EstimatedRows));
        var findings = new List<Finding>(SurveyRules.Of(table, mapping));
        var columns = table.Catalog.Columns.Where(column => !mapping.Exclude.Contains(column.Name)).ToList();
        var sums = columns.Select(column => new ColumnSums(column, table.Json.Contains(column.Name))).ToList();
        (long? rows, long? largest) = (null, null);
        MySqlException? trouble = null;
        IReadOnlyList<ColumnProfile> profiles = [.. columns.Select(column => new ColumnProfile(column.Name, column.Declared) { Nullable = column.Nullable })];
        try
        {
            var where = percent < 100 ? string.Create(CultureInfo.InvariantCulture, $" where rand(1) < {percent / 100:0.########}") : "";
            await using var connection = await OpenAsync(source, cancellationToken);
            await using var command = new MySqlCommand($"select count(*), {RowBytes(columns)}{string.Concat(sums.SelectMany(sum => sum.Sql).Select(sql => $",\n    {sql}"))}\nfrom {MariaDbConnections.Sql(mapping.Source)}{where}", connection)
            {
                CommandTimeout = Math.Max(1, (int)Math.Ceiling(options.StatementTimeout.TotalSeconds)),
            };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var values = Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)).ToArray();
            rows = long.Parse(values[0]!, CultureInfo.InvariantCulture);
            largest = values[1] is { } bytes ? (long)decimal.Parse(bytes, CultureInfo.InvariantCulture) : null;
            var at = 2;
            profiles = [.. sums.Select(sum => sum.Read(values.AsSpan((at += sum.Asked) - sum.Asked, sum.Asked)))];
        }
        catch (MySqlException exception) when (IsOfOneTable(exception))
        {
            trouble = exception;
            findings.Add(NotProfiled(name, exception));
        }

        if (rows is not null && percent < 100)
        {
            findings.Add(new Finding(Severity.Info, "sampled", string.Create(CultureInfo.InvariantCulture, $"{name} was looked at in part: {percent} % of its rows, {rows:N0}. What a sample does not show may be there"), "--sample none looks at all of it") { Table = name });
        }

        findings.AddRange(RowRules.Of(mapping, largest, carriesOldRow: true, definition.Apply.MaxRecordBytes));
        findings.AddRange(profiles.SelectMany(column => ValueRules.Of(mapping, column, definition.Apply.MaxRecordBytes)));
        return (new TableProfile(name, "table")
        {
            Rows = percent < 100 || rows is null ? table.EstimatedRows : rows.Value,
            RowsRead = rows ?? 0,
            SamplePercent = percent,
            Bytes = table.Bytes,
            LargestRowBytes = largest,
            NotProfiled = trouble?.Message,
            Key = table.Catalog.Key,
            Identity = table.Catalog.Engine,
            Triggers = table.Triggers,
            Columns = profiles,
            Seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2),
        }, findings);
    }

    /// <summary>The table's catalog, or why it cannot be had now: somebody has the table to himself, or the role may not see it.</summary>
    private static async Task<(SurveyedTable? Table, MySqlException? Trouble)> FindAsync(MySqlConnection connection, TableMapping mapping, bool isMariaDb, CancellationToken cancellationToken)
    {
        try
        {
            return (await SurveyCatalog.FindAsync(connection, mapping.Source, isMariaDb, cancellationToken), null);
        }
        catch (MySqlException exception) when (IsOfOneTable(exception))
        {
            return (null, exception);
        }
    }

    /// <summary>Whether a failure concerns the table that was read, and no other.</summary>
    private static bool IsOfOneTable(MySqlException exception) => exception.ErrorCode is MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted or MySqlErrorCode.LockWaitTimeout
        or MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied or MySqlErrorCode.CheckNoSuchTable or MySqlErrorCode.NoSuchTable or MySqlErrorCode.CrashedOnUsage;

    private static Finding NotProfiled(string table, MySqlException trouble) => new(Severity.Warning, "not-scanned", $"{table} was not profiled: {trouble.Message}", trouble.ErrorCode switch
    {
        MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied => $"GRANT SELECT ON {table} to the migration's user",
        MySqlErrorCode.LockWaitTimeout => "Run the audit again when the schema change, or LOCK TABLES, is over: SHOW PROCESSLIST names who holds it",
        _ => "Run the audit again with a longer --limit, or at a quieter hour",
    })
    { Table = table };

    /// <summary>Bytes of a row as an event carries them, about: text of each column, bytes as Base64.</summary>
    private static string RowBytes(List<SourceColumn> columns) => columns.Count == 0 ? "0" : $"max({string.Join(" + ", columns.Select(column =>
        $"coalesce(length({MariaDbConnections.Quote(column.Name)}), 0){(column.Type.EndsWith("blob", StringComparison.Ordinal) || column.Type.EndsWith("binary", StringComparison.Ordinal) ? " * 4 / 3" : "")}"))})";

    /// <summary>When, rows written on the server until then, and bytes of its binlog.</summary>
    private static async Task<(double At, double Writes, double? LogBytes)?> CountersAsync(MySqlConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        var at = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        var status = (await SurveyCatalog.RowsAsync(connection, "show global status where variable_name in ('Innodb_rows_inserted', 'Innodb_rows_updated', 'Innodb_rows_deleted', 'Binlog_bytes_written')", new TableName("", ""), cancellationToken))
            .ToDictionary(row => row[0]!, row => double.Parse(row[1]!, CultureInfo.InvariantCulture), StringComparer.OrdinalIgnoreCase);
        return status.TryGetValue("Innodb_rows_inserted", out var inserted)
            ? (at, inserted + status.GetValueOrDefault("Innodb_rows_updated") + status.GetValueOrDefault("Innodb_rows_deleted"), status.TryGetValue("Binlog_bytes_written", out var bytes) ? bytes : null)
            : null;
    }

    private static async Task<IReadOnlyList<Finding>> BesideAsync(MySqlConnection connection, MigrationDefinition definition, CancellationToken cancellationToken)
    {
        var wanted = definition.Tables.Select(table => table.Source).ToHashSet();
        var left = new List<string>();
        foreach (var schema in wanted.Select(table => table.Schema).Distinct())
        {
            var names = await SurveyCatalog.RowsAsync(
                connection, "select table_name from information_schema.tables where table_schema = @schema and table_type = 'BASE TABLE' and @name = '' order by 1", new TableName(schema, ""), cancellationToken);
            left.AddRange(names.Select(row => new TableName(schema, row[0]!)).Where(table => !wanted.Contains(table)).Select(table => table.ToString()));
        }

        return left.Count == 0 ? [] : [new(Severity.Warning, "not-migrated", $"The migration file does not name {left.Count} tables of the same databases: {string.Join(", ", left.Take(20))}{(left.Count > 20 ? ", …" : "")}", "Add them to 'tables:', unless they are to stay behind")];
    }

    private static async Task<SourceProfile> ProfileAsync(MySqlConnection connection, SourceKind kind, CancellationToken cancellationToken)
    {
        var none = new TableName("", "");
        var variables = (await SurveyCatalog.RowsAsync(connection, "show global variables", none, cancellationToken)).ToDictionary(row => row[0]!, row => row[1] ?? "", StringComparer.OrdinalIgnoreCase);
        var status = (await SurveyCatalog.RowsAsync(connection, "show global status", none, cancellationToken)).ToDictionary(row => row[0]!, row => row[1] ?? "", StringComparer.OrdinalIgnoreCase);
        var size = await SurveyCatalog.RowsAsync(connection, "select sum(data_length + index_length) from information_schema.tables where table_schema = database()", none, cancellationToken);
        var seconds = Math.Max(1, Number("Uptime") ?? 1);
        var writes = Number("Innodb_rows_inserted") + Number("Innodb_rows_updated") + Number("Innodb_rows_deleted");
        return new SourceProfile(kind == SourceKind.MySql ? "mysql" : "mariadb", variables.GetValueOrDefault("version", ""), connection.Database)
        {
            Bytes = size is [[{ } bytes]] ? (long)decimal.Parse(bytes, CultureInfo.InvariantCulture) : null,
            WritesPerSecond = writes is { } rows ? Math.Round(rows / seconds, 3) : null,
            LogBytesPerSecond = Number("Binlog_bytes_written") is { } written ? Math.Round(written / seconds) : null,
            Settings = Settings.Where(variables.ContainsKey).ToDictionary(name => name, name => variables[name]),
        };

        double? Number(string name) => status.TryGetValue(name, out var text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private static async Task<MySqlConnection> OpenAsync(MySqlDataSource source, CancellationToken cancellationToken)
    {
        var connection = await MariaDbConnections.OpenAsync(source, cancellationToken);
        try
        {
            await using var command = new MySqlCommand("set session transaction read only; set session lock_wait_timeout = 10", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
