using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Connections;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.UnitTests.Configuration;

public sealed class MigrationFileTests
{
    private const string Whole = """
        migration: shop
        source:  { kind: postgresql, connection: "Host=127.0.0.1;Port=5432;Database=shop;Username=migrator" }
        target:  { connection: "Host=127.0.0.1;Port=5433;Database=shop;Username=migrator" }
        log:     { kind: kafka, bootstrapServers: "127.0.0.1:9092", topicPrefix: shop, format: json, schemaRegistry: null, group: cdcm-shop }
        # log.settings: { time.precision.mode: adaptive, decimal.handling.mode: string }
        connect: { url: "http://127.0.0.1:8083", connector: shop-source }
        tables:  [ { source: public.orders }, { source: public.customers, target: crm.customers, exclude: [legacy_flag], rename: { mail: email } } ]
        rules:   [ { name: revenue, source: "select sum(amount) from orders", target: "select sum(amount) from orders", tolerance: 0 } ]
        cutover: { maxLag: 5s, budget: 3s, verifiedWithin: 24h, appRoles: [shop_app], route: [], rollbackWindow: 14d }
        service: { url: "http://127.0.0.1:8080" }
        """;

    private const string Least = """
        migration: shop
        source: { connection: "Host=a;Database=shop" }
        target: { connection: "Host=b;Database=shop" }
        log: { bootstrapServers: "k:9092" }
        tables: [ public.orders ]
        """;

    [Fact]
    public void The_designs_example_loads_with_every_value_in_its_place()
    {
        var definition = Read(Whole);
        Assert.Equal("shop", definition.Name);
        Assert.Equal(SourceKind.PostgreSql, definition.Source.Kind);
        Assert.Equal("127.0.0.1:9092", definition.Log.BootstrapServers);
        Assert.Null(definition.Log.SchemaRegistry);
        Assert.Equal(new ConnectSection(new Uri("http://127.0.0.1:8083"), "shop-source"), definition.Connect);
        Assert.Equal(new TableName("public", "orders"), definition.Tables[0].Target);
        Assert.Equal(new TableName("crm", "customers"), definition.Tables[1].Target);
        Assert.Equal(["legacy_flag"], definition.Tables[1].Exclude);
        Assert.Equal("email", definition.Tables[1].Rename["mail"]);
        Assert.Equal(new BusinessRule("revenue", "select sum(amount) from orders", "select sum(amount) from orders", 0), definition.Rules[0]);
        Assert.Equal(TimeSpan.FromSeconds(5), definition.Cutover.MaxLag);
        Assert.Equal(TimeSpan.FromDays(14), definition.Cutover.RollbackWindow);
        Assert.Equal(["shop_app"], definition.Cutover.AppRoles);
    }

    [Theory]
    [InlineData("", 7)]
    [InlineData(", maxRestarts: 0", 0)]
    [InlineData(", maxRestarts: 20", 20)]
    public void A_connector_is_restarted_as_often_as_the_file_says_in_both_directions(string setting, int times)
    {
        var definition = Read($"{Least}\nconnect: {{ url: \"http://c:8083\", connector: c{setting} }}");
        Assert.Equal((times, times), (definition.Connect!.MaxRestarts, definition.TurnedRound().Connect!.MaxRestarts));
        Assert.Contains($"maxRestarts: {times}", EffectiveFile.Render(definition), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_left_out_has_the_documented_default()
    {
        var definition = Read(Least);
        Assert.Equal("cdcm-shop", definition.Log.Group);
        Assert.Equal("shop", definition.Log.TopicPrefix);
        Assert.Equal(LogFormat.Json, definition.Log.Format);
        Assert.Equal(new ApplySection(), definition.Apply);
        Assert.Equal(new ServiceSection(), definition.Service);
        Assert.Null(definition.Connect);
    }

    [Fact]
    public void A_table_without_a_key_has_a_topic_of_one_partition()
    {
        var tables = Read(Least.Replace("[ public.orders ]", "[ public.orders, { source: public.log, keyless: true }, { source: public.staging, onePartition: true } ]", StringComparison.Ordinal)).Tables;
        Assert.Equal([(false, false), (true, true), (false, true)], tables.Select(table => (table.Keyless, table.OnePartition)));
    }

    private const string MariaDb = """
        migration: shop
        source: { kind: mariadb, connection: "Server=a;Database=shop" }
        target: { connection: "Host=b;Database=shop" }
        log: { bootstrapServers: "k:9092" }
        tables: [ { source: shop.t, columns: COLUMNS } ]
        """;

    [Fact]
    public void Columns_of_a_MariaDB_table_are_mapped_one_by_one()
    {
        var columns = Read(MariaDb.Replace("COLUMNS",
            "{ born: { zeroDate: null }, due: { zeroDate: epoch, partialDate: first }, gone: { zeroDate: -infinity }, seen: { zeroDate: 1900-01-01 }, flag: { as: boolean, nonBoolean: true }, "
            + "note: { nulCharacter: strip }, id: { uuidFormat: timeSwapBinary16 }, kind: { labels: { 'b,c': b/c } } }", StringComparison.Ordinal)).Tables[0].Columns;

        Assert.Equal(new DateRule(DateAction.Null), columns["born"].ZeroDate);
        Assert.Equal((new DateRule(DateAction.Replace, "1970-01-01"), new DateRule(DateAction.First)), (columns["due"].ZeroDate, columns["due"].PartialDate));
        Assert.Equal((new DateRule(DateAction.Replace, "-infinity"), new DateRule(DateAction.Replace, "1900-01-01")), (columns["gone"].ZeroDate, columns["seen"].ZeroDate));
        Assert.Equal(("boolean", true), (columns["flag"].As, columns["flag"].NonZeroIsTrue));
        Assert.Equal((NulRule.Strip, UuidFormat.TimeSwapBinary16, "b/c"), (columns["note"].NulCharacter, columns["id"].UuidFormat, columns["kind"].Labels["b,c"]));
    }

    [Theory]
    [InlineData("{ a: { zeroDates: null } }", "unknown key 'zeroDates' in tables[].columns.*; did you mean 'zeroDate'?")]
    [InlineData("{ a: { zeroDate: yesterday } }", "zeroDate is 'yesterday' but must be null, epoch, -infinity, refuse, or a date like 2000-01-01")]
    [InlineData("{ a: { zeroDate: first } }", "zeroDate is 'first' but must be")]
    [InlineData("{ a: { partialDate: 2024-02-30 } }", "partialDate is '2024-02-30' but must be")]
    [InlineData("{ a: { nulCharacter: drop } }", "'drop' is not a value of tables[].columns.*.nulCharacter; it is one of refuse, strip, replace")]
    [InlineData("{ a: boolean }", "tables[].columns.* must be a section of keys: as, zeroDate")]
    [InlineData("[ a ]", "tables[].columns must be a map")]
    [InlineData("{ a: { as: boolean } }, exclude: [ a ]", "column a of shop.t is both excluded and mapped")]
    public void A_mistake_in_a_columns_mapping_is_named(string columns, string message)
    {
        var errors = MigrationFile.Parse(MariaDb.Replace("COLUMNS", columns, StringComparison.Ordinal), _ => null).Errors;
        Assert.Contains(message, Assert.Single(errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_of_a_PostgreSQL_table_are_not_mapped() =>
        Assert.Contains("MariaDB and MySQL sources only", Assert.Single(MigrationFile.Parse(
            Least.Replace("[ public.orders ]", "[ { source: public.orders, columns: { a: { as: text } } } ]", StringComparison.Ordinal), _ => null).Errors).Message, StringComparison.Ordinal);

    [Fact]
    public void Several_hosts_may_be_named_of_which_the_primary_is_asked()
    {
        var definition = Read(Least.Replace("Host=a;Database=shop", "Host=a,b:5433;Database=shop;Target Session Attributes=primary", StringComparison.Ordinal));
        using var _ = PostgresConnections.CreateSourceRead(definition.Source.Connection);
    }

    [Fact]
    public void The_embedded_log_needs_one_word()
    {
        var definition = Read(Least.Replace("log: { bootstrapServers: \"k:9092\" }", "log: embedded", StringComparison.Ordinal));
        Assert.Equal(LogKind.Embedded, definition.Log.Kind);
    }

    [Fact]
    public void Sizes_durations_and_numbers_are_read_with_their_units()
    {
        var definition = Read(Least + "\napply: { writers: 8, batchBytes: 512KiB, laneBytes: 1GiB, uniqueWait: 1.5m, drainTimeout: 200ms }");
        Assert.Equal(8, definition.Apply.Writers);
        Assert.Equal(512 * 1024, definition.Apply.BatchBytes);
        Assert.Equal(1L << 30, definition.Apply.LaneBytes);
        Assert.Equal(TimeSpan.FromSeconds(90), definition.Apply.UniqueWait);
        Assert.Equal(TimeSpan.FromMilliseconds(200), definition.Apply.DrainTimeout);
    }

    [Fact]
    public void How_both_sides_are_compared_is_read()
    {
        var verify = Read(Least + "\nverify: { chunkTime: 200ms, tablesAtOnce: 3, dirtyKeys: 5000, pauseAboveLag: 30s, checkInterval: 1m, ruleTimeout: 5s, countTolerance: 0.5, sampleAbove: 10, sampleConfidence: 95, sampleErrorRate: 1 }").Verify;
        Assert.Equal(
            new VerifySection
            {
                ChunkTime = TimeSpan.FromMilliseconds(200),
                TablesAtOnce = 3,
                DirtyKeys = 5000,
                PauseAboveLag = TimeSpan.FromSeconds(30),
                CheckInterval = TimeSpan.FromMinutes(1),
                RuleTimeout = TimeSpan.FromSeconds(5),
                CountTolerance = 0.5m,
                SampleAbove = 10,
                SampleConfidence = 95,
                SampleErrorRate = 1,
            },
            verify);
    }

    [Theory]
    [InlineData("verify: { sampleConfidence: 100 }", 6, "verify.sampleConfidence is 100 but must be from 1 to 99.9999 percent")]
    [InlineData("verify: { sampleErrorRate: 0 }", 6, "verify.sampleErrorRate is 0 but must be from 0.0001 to 50 percent")]
    [InlineData("verify: { tablesAtOnce: 0 }", 6, "verify.tablesAtOnce is '0' but must be a whole number from 1 to 64")]
    [InlineData("verify: { chunktime: 1s }", 6, "did you mean 'chunkTime'?")]
    [InlineData("rules:\n  - { name: a, source: s, target: t }\n  - { name: a, source: s, target: t }", 8, "there are two rules of the name 'a'")]
    public void A_mistake_in_what_is_verified_is_named_with_its_line(string more, int line, string message)
    {
        var error = Assert.Single(MigrationFile.Parse($"{Least.TrimEnd()}\n{more}", _ => null).Errors);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(line, error.Line);
    }

    [Theory]
    [InlineData("log: { bootstrapServers: \"k:9092\" }", "log: { bootstrapServer: \"k:9092\" }", 4, "unknown key 'bootstrapServer' in log; did you mean 'bootstrapServers'?")]
    [InlineData("tables: [", "tabels: [", 5, "unknown key 'tabels'; did you mean 'tables'?")]
    [InlineData("tables: [", "frobnicate: 1\ntables: [", 5, "unknown key 'frobnicate'; known are migration, source, target")]
    [InlineData("migration: shop", "migration: \"my shop\"", 1, "'my shop' is not a migration name")]
    [InlineData("source: { connection", "source: { kind: oracle, connection", 2, "'oracle' is not a value of source.kind; it is one of postgresql, mariadb, mysql")]
    [InlineData("source: { connection", "source: { kind: postgressql, connection", 2, "did you mean 'postgresql'?")]
    [InlineData("\"Host=a;Database=shop\"", "\"Host=a\"", 2, "connection lacks Database")]
    [InlineData("\"Host=a;Database=shop\"", "\"Hots=a;Database=shop\"", 2, "connection is not a connection string")]
    [InlineData("\"Host=a;Database=shop\"", "\" \"", 2, "source.connection is empty")]
    [InlineData("\"Host=a;Database=shop\"", "\"Host=a;Port=54321;Port=99999;Database=shop\"", 2, "99999 is not a port")]
    [InlineData("\"Host=a;Database=shop\"", "\"Host=a:5432,b:65536;Database=shop\"", 2, "65536 is not a port")]
    [InlineData("\"Host=a;Database=shop\"", "\"Host=a;Database=shop;Minimum Pool Size=500\"", 2, "connection is not a connection string: Connection can't have 'Max Pool Size' 100 under")]
    [InlineData("\"Host=a;Database=shop\"", "\"Host=a;Database=shop;Target Session Attributes=primary\"", 2, "only supported with multiple hosts")]
    [InlineData("\"Host=a;Database=shop\"", "[ a ]", 2, "source.connection must be a single value")]
    [InlineData("[ public.orders ]", "[ orders ]", 5, "'orders' is not a table name of the form schema.table")]
    [InlineData("[ public.orders ]", "[ { source: public.orders, keyless: true, onePartition: false } ]", 5, "table public.orders has no key, so its topic must have one partition")]
    [InlineData("[ public.orders ]", "[ public.orders, public.orders ]", 5, "table public.orders is listed twice")]
    [InlineData("[ public.orders ]", "[ { source: public.a, target: s.t }, { source: public.b, target: s.t } ]", 5, "two tables go to s.t")]
    [InlineData("[ public.orders ]", "[ 'public.\"a b\"', public.a_b ]", 5, "tables \"public\".\"a b\" and \"public\".\"a_b\" would share topic shop.public.a_b")]
    [InlineData("[ public.orders ]", "[ 'public.\"b.c\"', '\"public.b\".c' ]", 5, "tables \"public\".\"b.c\" and \"public.b\".\"c\" would share topic shop.public.b.c")]
    [InlineData("[ public.orders ]", "[ { source: public.a, target: 's.\"t 1\"' }, { source: public.b, target: s.t_1 } ]", 5, "would share topic shop-back.s.t_1")]
    [InlineData("[ public.orders ]", "[ '\"cdc migrator\".fence' ]", 5, "tables \"cdc_migrator\".\"fence\" and \"cdc migrator\".\"fence\" would share topic shop.cdc_migrator.fence")]
    [InlineData("[ public.orders ]", "[ { source: public.a, exclude: [x], rename: { x: y } } ]", 5, "column x of public.a is both excluded and renamed")]
    [InlineData("[ public.orders ]", "[ { source: public.a, rename: { x: z, y: z } } ]", 5, "columns x, y of public.a are all renamed to z")]
    [InlineData("[ public.orders ]", "[ { target: public.a } ]", 5, "key 'source' is missing in tables[]")]
    [InlineData("[ public.orders ]", "[ ]", 5, "tables must be a list with at least one entry")]
    [InlineData("[ public.orders ]", "public.orders", 5, "tables must be a list with at least one entry")]
    [InlineData("log: { ", "log: { format: avro, ", 4, "key 'schemaRegistry' is missing in log")]
    [InlineData("log: { ", "log: { schemaRegistry: registry, ", 4, "log.schemaRegistry must be an http or https address")]
    [InlineData("tables:", "apply: { drainTimeout: 5 }\ntables:", 5, "apply.drainTimeout is '5' but must be a duration like")]
    [InlineData("tables:", "apply: { batchBytes: 16Mb }\ntables:", 5, "apply.batchBytes is '16Mb' but must be a size like")]
    [InlineData("tables:", "apply: { writers: 0 }\ntables:", 5, "apply.writers is '0' but must be a whole number from 1 to 64")]
    [InlineData("tables:", "cutover: { route: [ pgbouncer ] }\ntables:", 5, "cutover.route must be a section of keys: pgbouncer, beforeFence, afterOpen, onAbort")]
    [InlineData("tables:", "service: { url: \"https://0.0.0.0:8080\" }\ntables:", 5, "service.url must be a plain http address")]
    [InlineData("tables:", "connect: { url: \"http://c:8083\" }\ntables:", 5, "key 'connector' is missing in connect")]
    [InlineData("tables:", "connect: { url: \"http://c:8083\", connector: c, maxRestarts: -1 }\ntables:", 5, "connect.maxRestarts is '-1' but must be a whole number from 0 to 1000")]
    [InlineData("tables:", "migration: again\ntables:", 5, "not YAML")]
    [InlineData("tables:", "\ttables:", 5, "not YAML")]
    public void A_mistake_is_named_with_its_line(string right, string wrong, int line, string message)
    {
        var text = Least.Replace(right, wrong, StringComparison.Ordinal);
        Assert.NotEqual(Least, text);
        var errors = MigrationFile.Parse(text, _ => null).Errors;
        var error = Assert.Single(errors);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(line, error.Line);
        Assert.True(error.Column > 0);
    }

    [Fact]
    public void A_file_that_ends_anywhere_is_answered_with_a_mistake()
    {
        for (var length = 0; length < Whole.IndexOf("tables:", StringComparison.Ordinal); length++)
        {
            Assert.NotEmpty(MigrationFile.Parse(Whole[..length], _ => null).Errors);
        }

        var error = Assert.Single(MigrationFile.Parse("migration: [a\nfoo", _ => null).Errors);
        Assert.Equal(("not YAML: a '[' or '{' is not closed", 2), (error.Message, error.Line));
    }

    [Fact]
    public void All_mistakes_are_told_at_once_in_the_files_order()
    {
        var reading = MigrationFile.Parse("migration: shop\nsource: {}\nlog: { kind: rabbit }\ntables: [ x ]\n", _ => null);
        Assert.Null(reading.Definition);
        Assert.Equal(
            [1, 2, 3, 3, 4],
            reading.Errors.Select(error => error.Line));
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("- a", "a migration file is a map of keys")]
    [InlineData("a: 1\n---\nb: 2", "one document is expected")]
    public void What_is_no_migration_file_at_all_is_told_so(string text, string message) =>
        Assert.Contains(message, Assert.Single(MigrationFile.Parse(text, _ => null).Errors).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_file_is_a_configuration_fault_that_names_it()
    {
        var fault = Assert.Throws<FaultException>(() => MigrationFile.Load("/nonexistent/migration.yaml")).Fault;
        Assert.Equal(FaultKind.Configuration, fault.Kind);
        Assert.Equal("migration file /nonexistent/migration.yaml does not exist", fault.Message);
    }

    [Fact]
    public void A_folder_in_place_of_a_file_is_told_so()
    {
        var fault = Assert.Throws<FaultException>(() => MigrationFile.Load("/")).Fault;
        Assert.Equal("migration file / is a folder", fault.Message);
    }

    private static MigrationDefinition Read(string text)
    {
        var reading = MigrationFile.Parse(text, _ => null);
        Assert.Empty(reading.Errors);
        return reading.Definition!;
    }
}
