using System.Diagnostics;
using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
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
        foreach (var mapping in definition.Tables)
        {
            if (await SurveyCatalog.FindAsync(connection, mapping.Source, definition.Source.Kind == SourceKind.MariaDb, cancellationToken) is { } table)
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
        return new AuditReport
        {
            Migration = definition.Name,
            At = at,
            Seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2),
            Source = profile,
            Tables = [.. profiled.Select(table => table.Profile)],
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
        long? rows = null;
        IReadOnlyList<ColumnProfile> profiles = [.. columns.Select(column => new ColumnProfile(column.Name, column.Declared) { Nullable = column.Nullable })];
        try
        {
            var where = percent < 100 ? string.Create(CultureInfo.InvariantCulture, $" where rand(1) < {percent / 100:0.########}") : "";
            await using var connection = await OpenAsync(source, cancellationToken);
            await using var command = new MySqlCommand($"select count(*){string.Concat(sums.SelectMany(sum => sum.Sql).Select(sql => $",\n    {sql}"))}\nfrom {MariaDbConnections.Sql(mapping.Source)}{where}", connection)
            {
                CommandTimeout = Math.Max(1, (int)Math.Ceiling(options.StatementTimeout.TotalSeconds)),
            };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var values = Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)).ToArray();
            rows = long.Parse(values[0]!, CultureInfo.InvariantCulture);
            var at = 1;
            profiles = [.. sums.Select(sum => sum.Read(values.AsSpan((at += sum.Asked) - sum.Asked, sum.Asked)))];
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.CommandTimeoutExpired or MySqlErrorCode.QueryInterrupted or MySqlErrorCode.LockWaitTimeout or MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied)
        {
            findings.Add(new Finding(Severity.Warning, "not-scanned", $"{name} was not read: {exception.Message}", "Run the audit again with a longer --limit, or at a quieter hour") { Table = name });
        }

        if (rows is not null && percent < 100)
        {
            findings.Add(new Finding(Severity.Info, "sampled", string.Create(CultureInfo.InvariantCulture, $"{name} was looked at in part: {percent} % of its rows, {rows:N0}. What a sample does not show may be there"), "--sample none looks at all of it") { Table = name });
        }

        findings.AddRange(profiles.SelectMany(column => ValueRules.Of(mapping, column, definition.Apply.MaxRecordBytes)));
        return (new TableProfile(name, "table")
        {
            Rows = percent < 100 || rows is null ? table.EstimatedRows : rows.Value,
            RowsRead = rows ?? 0,
            SamplePercent = percent,
            Bytes = table.Bytes,
            Key = table.Catalog.Key,
            Identity = table.Catalog.Engine,
            Triggers = table.Triggers,
            Columns = profiles,
            Seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2),
        }, findings);
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
