using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Benchmarking;
using Npgsql;

namespace CdcMigrator.Service.Configuration;

/// <summary>From the root section of a file to a definition, section by section in the file's order.</summary>
internal sealed partial class MigrationReader(SectionReader root)
{
    public MigrationDefinition Read()
    {
        var name = Name();
        var source = Source(root.Section("source", required: true));
        var target = Target(root.Section("target", required: true));
        var log = Log(root.Section("log", required: true, shorthand: "kind"), name, source.Kind);
        var connect = Connect(root.Section("connect"));
        var entries = root.Entries("tables", required: true, shorthand: "source");
        var tables = Tables(entries, source.Kind);
        SharedTopics.Check(entries, tables, log.TopicPrefix, hasWayBack: source.Kind == SourceKind.PostgreSql);
        return new MigrationDefinition
        {
            Name = name,
            Source = source,
            Target = target,
            Log = log,
            Connect = connect,
            Tables = tables,
            Rules = Rules(root.Entries("rules")),
            Benchmarks = Benchmarks(root.Entries("benchmarks")),
            Apply = Apply(root.Section("apply")),
            Verify = Verify(root.Section("verify")),
            Cutover = CutoverReader.Read(root.Section("cutover"), source.Kind),
            Service = Service(root.Section("service")),
        };
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{1,40}$")]
    private static partial Regex NameForm();

    private static SourceSection Source(SectionReader section)
    {
        var kind = section.Choice(
            "kind", SourceKind.PostgreSql, ("postgresql", SourceKind.PostgreSql), ("mariadb", SourceKind.MariaDb), ("mysql", SourceKind.MySql));
        return new SourceSection(kind, Connection(section, kind));
    }

    private static TargetSection Target(SectionReader section) => new(Connection(section, SourceKind.PostgreSql));

    /// <summary>A connection string that its driver can read, with server and database; a pooler's with one server.</summary>
    internal static string Connection(SectionReader section, SourceKind kind, bool isPooler = false)
    {
        var text = section.Filled("connection");
        if (text.Length == 0)
        {
            return text;
        }

        try
        {
            if (kind == SourceKind.PostgreSql)
            {
                var builder = new NpgsqlConnectionStringBuilder(text);
                Want(builder.Host, "Host");
                if (!isPooler)
                {
                    Want(builder.Database, "Database");
                }
                else if (builder.Host?.Contains(',', StringComparison.Ordinal) == true)
                {
                    section.Fail("connection", "connection names several hosts, but each pooler needs an entry of its own, for all of them have to be paused");
                }

                CheckUse(builder);
            }
            else
            {
                _ = new DbConnectionStringBuilder { ConnectionString = text };
            }
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException or KeyNotFoundException or NotSupportedException)
        {
            section.Fail("connection", $"connection is not a connection string: {e.Message}");
        }

        return text;

        void Want(string? value, string keyword)
        {
            if (string.IsNullOrEmpty(value))
            {
                section.Fail("connection", $"connection lacks {keyword}: \"Host=…;Port=5432;Database=…;Username=…;Password=…\"");
            }
        }
    }

    /// <summary>What the driver refuses only when it is used: settings that do not go together, ports that do not exist.</summary>
    private static void CheckUse(NpgsqlConnectionStringBuilder connection)
    {
        if (string.IsNullOrEmpty(connection.Host))
        {
            return;
        }

        using var _ = new NpgsqlDataSourceBuilder(connection.ConnectionString).Build();
        foreach (var port in connection.Host.Split(',').Select(PortOf).Append(connection.Port).Where(port => port is < 1 or > IPEndPoint.MaxPort))
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{port} is not a port"));
        }
    }

    /// <summary>The port behind a host; that of an IPv6 address stands behind a bracket, a socket's folder has none.</summary>
    private static int PortOf(string host) =>
        !host.StartsWith('/') && host.LastIndexOf(':') is var colon and > 0 && (host.IndexOf(':', StringComparison.Ordinal) == colon || host[colon - 1] == ']')
        && int.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : NpgsqlConnection.DefaultPort;

    private static LogSection Log(SectionReader section, string migration, SourceKind source)
    {
        var kind = section.Choice("kind", LogKind.Kafka, ("kafka", LogKind.Kafka), ("embedded", LogKind.Embedded));
        var format = section.Choice("format", LogFormat.Json, ("json", LogFormat.Json), ("avro", LogFormat.Avro));
        var log = new LogSection
        {
            Kind = kind,
            BootstrapServers = section.Text("bootstrapServers", ""),
            TopicPrefix = section.Text("topicPrefix", migration),
            Format = format,
            SchemaRegistry = section.Url("schemaRegistry"),
            Group = section.Text("group", $"cdcm-{migration}"),
            Settings = section.Map("settings"),
            Client = section.Map("client"),
        };
        if (section.Exists && kind == LogKind.Kafka && log.BootstrapServers.Length == 0)
        {
            section.Missing("bootstrapServers", "where Kafka answers, host:port");
        }

        if (section.Exists && kind == LogKind.Kafka && format == LogFormat.Avro && log.SchemaRegistry is null)
        {
            section.Missing("schemaRegistry", "Avro needs the address of the schema registry");
        }

        if (kind == LogKind.Embedded && source != SourceKind.PostgreSql)
        {
            section.Fail("kind", "the embedded log reads PostgreSQL sources only; use kind: kafka with Debezium");
        }

        if (kind == LogKind.Embedded && format == LogFormat.Avro)
        {
            section.Fail("format", "the embedded log writes JSON only");
        }

        return log;
    }

    private static ConnectSection? Connect(SectionReader section)
    {
        var url = section.Url("url", required: true);
        var connector = section.Text("connector");
        var stalledAfter = section.Duration("stalledAfter", MigrationKeys.Connect.StalledAfter);
        var maxRestarts = section.Integer("maxRestarts", MigrationKeys.Connect.MaxRestarts, 0, 1000);
        return section.Exists && url is not null ? new ConnectSection(url, connector) { StalledAfter = stalledAfter, MaxRestarts = maxRestarts } : null;
    }

    private static bool Switch(SectionReader entry, string key, bool otherwise) => entry.Choice(key, otherwise, ("false", false), ("true", true));

    private static List<TableMapping> Tables(IReadOnlyList<SectionReader> entries, SourceKind kind)
    {
        var tables = new List<TableMapping>(entries.Count);
        var sources = new HashSet<TableName>();
        var targets = new HashSet<TableName>();
        foreach (var entry in entries)
        {
            var source = entry.Table("source");
            var keyless = Switch(entry, "keyless", false);
            var table = new TableMapping
            {
                Source = source,
                Target = entry.Table("target", source),
                Exclude = entry.Texts("exclude").ToHashSet(StringComparer.Ordinal),
                Reselect = entry.Texts("reselect").ToHashSet(StringComparer.Ordinal),
                Rename = entry.Map("rename"),
                Columns = ColumnReader.Read(entry, kind),
                Keyless = keyless,
                OnePartition = Switch(entry, "onePartition", keyless),
            };
            if (source != default && !sources.Add(source))
            {
                entry.Fail("source", $"table {source} is listed twice");
            }
            else if (table.Target != default && !targets.Add(table.Target))
            {
                entry.Fail("target", $"two tables go to {table.Target}");
            }

            if (keyless && kind != SourceKind.PostgreSql)
            {
                entry.Fail("keyless", $"table {source} cannot be moved without a key: only PostgreSQL's log says which changes were applied before");
            }

            if (keyless && !table.OnePartition)
            {
                entry.Fail("onePartition", $"table {source} has no key, so its topic must have one partition");
            }

            CheckColumns(entry, table);
            tables.Add(table);
        }

        return tables;
    }

    private static void CheckColumns(SectionReader entry, TableMapping table)
    {
        foreach (var column in table.Reselect.Where(table.Exclude.Contains))
        {
            entry.Fail("reselect", $"column {column} of {table.Source} is both excluded and to be reselected");
        }

        foreach (var column in table.Columns.Keys.Where(table.Exclude.Contains))
        {
            entry.Fail("columns", $"column {column} of {table.Source} is both excluded and mapped");
        }

        foreach (var column in table.Rename.Keys.Where(table.Exclude.Contains))
        {
            entry.Fail("rename", $"column {column} of {table.Source} is both excluded and renamed");
        }

        foreach (var twice in table.Rename.GroupBy(pair => pair.Value, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            entry.Fail("rename", $"columns {string.Join(", ", twice.Select(pair => pair.Key))} of {table.Source} are all renamed to {twice.Key}");
        }
    }

    private static List<BusinessRule> Rules(IReadOnlyList<SectionReader> entries)
    {
        var rules = new List<BusinessRule>();
        foreach (var entry in entries)
        {
            var rule = new BusinessRule(entry.Text("name"), entry.Text("source"), entry.Text("target"), entry.Number("tolerance", 0));
            if (rule.Name.Length > 0 && rules.Exists(other => other.Name == rule.Name))
            {
                entry.Fail("name", $"there are two rules of the name '{rule.Name}'");
            }

            rules.Add(rule);
        }

        return rules;
    }

    private static VerifySection Verify(SectionReader section)
    {
        var defaults = new VerifySection();
        return new VerifySection
        {
            ChunkTime = section.Duration("chunkTime", defaults.ChunkTime),
            TablesAtOnce = section.Integer("tablesAtOnce", defaults.TablesAtOnce, 1, 64),
            DirtyKeys = section.Integer("dirtyKeys", defaults.DirtyKeys, 1_000, 100_000_000),
            PauseAboveLag = section.Duration("pauseAboveLag", defaults.PauseAboveLag),
            CheckInterval = section.Duration("checkInterval", defaults.CheckInterval),
            RuleTimeout = section.Duration("ruleTimeout", defaults.RuleTimeout),
            CountTolerance = Percent(section, "countTolerance", defaults.CountTolerance, least: 0, most: 100),
            SampleAbove = section.Integer("sampleAbove", defaults.SampleAbove, 1, int.MaxValue),
            SampleConfidence = Percent(section, "sampleConfidence", defaults.SampleConfidence, least: 1, most: 99.9999m),
            SampleErrorRate = Percent(section, "sampleErrorRate", defaults.SampleErrorRate, least: 0.0001m, most: 50),
        };
    }

    private static decimal Percent(SectionReader section, string key, decimal otherwise, decimal least, decimal most)
    {
        var value = section.Number(key, otherwise);
        if (value < least || value > most)
        {
            section.Fail(key, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"verify.{key} is {value} but must be from {least} to {most} percent"));
        }

        return value;
    }

    private static List<Benchmark> Benchmarks(IReadOnlyList<SectionReader> entries)
    {
        var benchmarks = new List<Benchmark>(entries.Count);
        foreach (var entry in entries)
        {
            var (name, sql) = (entry.Text("name"), entry.Text("sql"));
            var benchmark = new Benchmark(name, sql, entry.Text("target", sql), entry.Integer("runs", Benchmark.DefaultRuns, 1, 10_000), entry.Number("maxRatio", Benchmark.DefaultRatio));
            if (name.Length > 0 && benchmarks.Exists(other => other.Name == name))
            {
                entry.Fail("name", $"two benchmarks are called {name}");
            }

            if (benchmark.MaxRatio == 0)
            {
                entry.Fail("maxRatio", "maxRatio is 0, which no query can be");
            }

            foreach (var (key, text) in new[] { ("sql", sql), ("target", benchmark.Target) })
            {
                if (text.Length > 0 && BenchmarkRun.Refuse(text) is { } refused)
                {
                    entry.Fail(key, $"{key} of benchmark {name} cannot be run: {refused}");
                }
            }

            benchmarks.Add(benchmark);
        }

        return benchmarks;
    }

    private static ApplySection Apply(SectionReader section)
    {
        var defaults = new ApplySection();
        return new ApplySection
        {
            Writers = section.Integer("writers", defaults.Writers, 1, 64),
            BatchChanges = section.Integer("batchChanges", defaults.BatchChanges, 1, 1_000_000),
            BatchBytes = section.Size("batchBytes", defaults.BatchBytes),
            LaneBytes = section.Size("laneBytes", defaults.LaneBytes),
            TotalBytes = section.Size("totalBytes", defaults.TotalBytes),
            MaxRecordBytes = section.Size("maxRecordBytes", defaults.MaxRecordBytes),
            TakeoverTimeout = section.Duration("takeoverTimeout", defaults.TakeoverTimeout),
            UniqueWait = section.Duration("uniqueWait", defaults.UniqueWait),
            DrainTimeout = section.Duration("drainTimeout", defaults.DrainTimeout),
            OnPoison = section.Choice("onPoison", defaults.OnPoison, ("halt", PoisonPolicy.Halt), ("deadLetter", PoisonPolicy.DeadLetter)),
            DeadLetterCount = section.Integer("deadLetterCount", defaults.DeadLetterCount, 1, 10_000_000),
            DeadLetterBytes = section.Size("deadLetterBytes", defaults.DeadLetterBytes),
        };
    }

    private static ServiceSection Service(SectionReader section)
    {
        var url = section.Url("url");
        if (url is not null && (url.Scheme != "http" || url.AbsolutePath != "/"))
        {
            section.Fail("url", "service.url must be a plain http address without a path, like http://0.0.0.0:8080; put TLS in front of it");
        }

        return url is null ? new ServiceSection() : new ServiceSection { Url = url };
    }

    private string Name()
    {
        var name = root.Text("migration");
        if (name.Length > 0 && !NameForm().IsMatch(name))
        {
            root.Fail("migration", $"'{name}' is not a migration name: letters, digits, - and _, at most 40");
        }

        return name;
    }
}
