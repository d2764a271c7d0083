using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Diagnosing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>What is seen of a closed side: holes in its fence, and writes of others.</summary>
public sealed class WindowWatchTests(PostgresFixture postgres)
{
    private const string Schema = "create table orders(id int primary key, v text)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_hole_and_what_came_through_it_are_found_and_what_the_migration_writes_is_not()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        var definition = Definition(source, target);
        var sides = new Sides(definition, source.DataSource, target.DataSource, TimeProvider.System);
        await sides.PrepareAsync(Cancellation);
        await sides.Source.CloseAsync("a", 2, TimeSpan.FromMinutes(1), Cancellation);
        Assert.True(await sides.Source.SealAsync("a", TimeSpan.Zero, null, Cancellation));
        await sides.Target.OpenAsync("a", 2, Cancellation);
        var registry = Metrics.NewCustomRegistry();
        var watch = new WindowWatch(definition, sides, new WindowMetrics(Metrics.WithCustomRegistry(registry)), TimeProvider.System, NullLogger.Instance);
        await source.ExecuteAsync("insert into cdc_migrator.progress (migration, topic, partition, next_offset, cluster_id, partition_count) values ('m', 'm-back.public.orders', 0, 0, 'c', 1)");

        // An applier: rows and progress in one transaction.
        await watch.TurnAsync(Cancellation);
        await source.ExecuteAsync(
            "begin; set local session_replication_role = replica; set local cdc_migrator.applier = 'on'; insert into orders values (1, 'applied'); update cdc_migrator.progress set next_offset = 1; commit");
        await CountedAsync(1);
        await TurnsAsync(4);
        Assert.Empty(watch.Findings);

        await source.ExecuteAsync("alter table orders disable trigger cdcm_fence");
        await source.ExecuteAsync("insert into orders values (2, 'leaked'), (3, 'leaked')");
        await CountedAsync(3);
        await TurnsAsync(1);

        Assert.Equal(["fence-gap", "leaked-writes"], watch.Findings.Select(finding => finding.Code));
        Assert.Contains("public.orders has no enabled trigger", watch.Findings[0].Message, StringComparison.Ordinal);
        Assert.StartsWith("2 rows of public.orders in the source", watch.Findings[1].Message, StringComparison.Ordinal);
        using var exported = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(exported, Cancellation);
        var metrics = System.Text.Encoding.UTF8.GetString(exported.ToArray());
        Assert.Contains("cdcmigrator_fence_gaps{side=\"source\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("cdcmigrator_leaked_rows{side=\"source\"} 2", metrics, StringComparison.Ordinal);
        Assert.Contains("cdcmigrator_leaked_rows{side=\"target\"} 0", metrics, StringComparison.Ordinal);

        // Anybody sees it, without a service; and it is not said twice.
        await TurnsAsync(2);
        Assert.StartsWith("2 rows of public.orders in the source", watch.Findings[1].Message, StringComparison.Ordinal);
        var report = await MigrationDiagnosis.RunAsync(definition, null, null, new Fault(FaultKind.Unreachable, "none", "nobody answers"), Cancellation);
        Assert.False(report.Ok);
        Assert.Equal(["fence-gap", "leaked-writes"], report.Entries.Select(entry => entry.Code).Where(code => code is "fence-gap" or "leaked-writes"));
        Assert.Contains("no-service", report.Entries.Select(entry => entry.Code));

        async Task TurnsAsync(int turns)
        {
            for (var turn = 0; turn < turns; turn++)
            {
                await watch.TurnAsync(Cancellation);
            }
        }

        async Task CountedAsync(long rows)
        {
            while (await source.ScalarAsync<long>("select sum(n_tup_ins)::bigint from pg_stat_all_tables where relname = 'orders'") < rows)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
            }
        }
    }

    [Fact]
    public async Task A_side_that_says_nothing_keeps_what_was_found_there_and_the_other_one_is_looked_at()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        await using var proxy = new CuttingProxy(postgres.Source.Port);
        await using var through = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(source.ConnectionString) { Port = proxy.Port, CommandTimeout = 0 });
        var sides = new Sides(Definition(source, target), through, target.DataSource, TimeProvider.System);
        await sides.PrepareAsync(Cancellation);
        await sides.Source.CloseAsync("a", 2, TimeSpan.FromMinutes(1), Cancellation);
        Assert.True(await sides.Source.SealAsync("a", TimeSpan.Zero, null, Cancellation));
        await source.ExecuteAsync("alter table orders disable trigger cdcm_fence");
        var watch = new WindowWatch(Definition(source, target), sides, new WindowMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), TimeProvider.System, NullLogger.Instance);
        await watch.TurnAsync(Cancellation);
        Assert.StartsWith("The fence of the source has a hole", Assert.Single(watch.Findings).Message, StringComparison.Ordinal);

        proxy.Stall();
        await source.ExecuteAsync("alter table orders enable always trigger cdcm_fence");
        await target.ExecuteAsync("alter table orders disable trigger cdcm_fence");
        var fault = (await Assert.ThrowsAsync<FaultException>(() => watch.TurnAsync(Cancellation))).Fault;
        Assert.Equal((FaultKind.Unreachable, "no-answer"), (fault.Kind, fault.Code));
        Assert.Contains("The source did not answer", fault.Message, StringComparison.Ordinal);
        Assert.Equal(["The fence of the source has a hole", "The fence of the target has a hole"], watch.Findings.Select(finding => finding.Message.Split(':')[0]));

        // And it is looked at again once it answers.
        proxy.Resume();
        await watch.TurnAsync(Cancellation);
        Assert.StartsWith("The fence of the target has a hole", Assert.Single(watch.Findings).Message, StringComparison.Ordinal);
    }

    private static MigrationDefinition Definition(TestDatabase source, TestDatabase target) => new()
    {
        Name = "m",
        Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
        Target = new TargetSection(target.ConnectionString),
        Log = new LogSection { TopicPrefix = "m" },
        Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
    };
}
