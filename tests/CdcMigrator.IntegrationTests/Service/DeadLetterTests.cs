using System.Text.Json;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Embedded;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Runtime;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>Dead letters of a running migration, through the program operators use.</summary>
public sealed class DeadLetterTests(PostgresFixture postgres)
{
    private const string Table = "create table t(id int primary key, v text, n int)";

    [Fact]
    public async Task A_value_the_target_refuses_is_parked_its_row_waits_and_all_is_equal_after_the_retry()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync($"{Table}; insert into t select i, 'snapshot', i from generate_series(1, 20) i; insert into t values (99, 'snapshot', -1)");
        await using var target = await postgres.CreateTargetAsync($"{Table}; alter table t add constraint small check (n between 0 and 1000)");
        await using var service = await MigrationService.StartAsync(Definition(source, target), new MigrationServiceOptions { Logs = LogStyle.None }, cancellationToken);
        using var stop = new CancellationTokenSource();
        var run = Task.Run(() => service.RunAsync(stop.Token), cancellationToken);
        var server = service.Url.GetLeftPart(UriPartial.Authority);

        while (service.Runtime.Status() is not { Phase: RuntimePhase.Running, Log.Phase: EmbeddedLogPhase.Streaming })
        {
            Assert.False(run.IsCompleted, "the service ended");
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }

        // A snapshot row, an update, and later changes of both rows; others flow.
        await source.ExecuteAsync("update t set n = 5000 where id = 7");
        while (await target.ScalarAsync<long>("select count(*) from cdc_migrator.dead_letter where code = 'check'") < 2)
        {
            Assert.False(run.IsCompleted, "the service ended");
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }

        await source.ExecuteAsync("update t set v = 'later' where id in (7, 8)");
        await source.ExecuteAsync("update t set v = 'later' where id = 99");
        await source.ExecuteAsync("update t set id = 50, n = 50 where id = 7");
        await source.ExecuteAsync("insert into t values (60, 'new', 60)");
        var marker = await FenceTable.WriteMarkerAsync(source.DataSource, cancellationToken);
        var refused = await service.Runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromSeconds(1), cancellationToken);
        while (refused.DeadLetters is null)
        {
            Assert.False(run.IsCompleted, "the service ended");
            refused = await service.Runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromSeconds(1), cancellationToken);
        }

        Assert.Equal((false, 5L), (refused.Drained, refused.DeadLetters));
        Assert.Equal(
            ["7|snapshot|7", "8|later|8", "50|later|50", "60|new|60"],
            await target.RowsAsync("select * from t where id in (7, 8, 50, 60, 99) order by id"));

        var status = await CdcmAsync<StatusReport>(server, 0, "status");
        Assert.Equal(5, status.DeadLetters);
        Assert.Equal(("FAIL", "5 (public.t 5)"), (Criterion(status).State, Criterion(status).Measured));
        Assert.Contains(status.NextSteps, step => step.Contains("cdcm dlq list", StringComparison.Ordinal));
        Assert.Empty(status.Faults);

        var list = await CdcmAsync<DeadLettersReport>(server, 0, "dlq", "list", "--table", "public.t");
        Assert.Equal(
            ["""{"id":"7"} behind-parked""", """{"id":"7"} behind-parked""", """{"id":"7"} check""", """{"id":"99"} behind-parked""", """{"id":"99"} check"""],
            list.DeadLetters.Select(letter => $"{letter.Key} {letter.Code}").Order(StringComparer.Ordinal));
        var text = await Cdcm.RunAsync("dlq", "list", "--server", server);
        Assert.Equal(0, text.ExitCode);
        Assert.Contains("cdcm dlq retry --all", text.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("5000", text.Error + text.Output, StringComparison.Ordinal);

        var first = list.DeadLetters.First(letter => letter is { Key: """{"id":"7"}""", Code: "check" });
        var detail = await CdcmAsync<DeadLetterDetail>(server, 0, "dlq", "show", $"{first.Id}");
        Assert.Equal(("update", 3L), (detail.Operation, detail.OfRow));
        Assert.Equal("5000", detail.Columns.Single(column => column.Name == "n").Value);
        Assert.Contains("5000", (await Cdcm.RunAsync("dlq", "show", $"{first.Id}", "--server", server)).Error, StringComparison.Ordinal);

        // The row that was deleted by its key change needs no mending; the other does.
        var retried = await CdcmAsync<DeadLetterRetryReport>(server, 3, "dlq", "retry", "--all");
        Assert.Equal((3L, 2L), (retried.Applied, retried.Remaining));
        Assert.Equal("check", Assert.Single(retried.Rows, row => row.Remaining > 0).Fault!.Code);

        await target.ExecuteAsync("alter table t drop constraint small");
        retried = await CdcmAsync<DeadLetterRetryReport>(server, 0, "dlq", "retry", "--key", "99");
        Assert.Equal((2L, 0L), (retried.Applied, retried.Remaining));
        await source.ExecuteAsync("update t set v = 'free' where id = 99");

        marker = await FenceTable.WriteMarkerAsync(source.DataSource, cancellationToken);
        var drained = await service.Runtime.DrainAsync(marker.Id, marker.Lsn, TimeSpan.FromMinutes(1), cancellationToken);
        Assert.True(drained.Drained, drained.WaitingFor);
        Assert.Equal(await source.RowsAsync("select * from t order by id"), await target.RowsAsync("select * from t order by id"));
        status = await CdcmAsync<StatusReport>(server, 0, "status");
        Assert.Equal("PASS", Criterion(status).State);
        Assert.Equal(0, status.DeadLetters);
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task Discarding_asks_and_what_is_not_there_is_named()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = await postgres.CreateSourceAsync($"{Table}; insert into t values (1, 'refused', -1), (2, 'fine', 2)");
        await using var target = await postgres.CreateTargetAsync($"{Table}; alter table t add constraint small check (n >= 0)");
        await using var service = await MigrationService.StartAsync(Definition(source, target), new MigrationServiceOptions { Logs = LogStyle.None }, cancellationToken);
        using var stop = new CancellationTokenSource();
        var run = Task.Run(() => service.RunAsync(stop.Token), cancellationToken);
        var server = service.Url.GetLeftPart(UriPartial.Authority);
        while (await target.ScalarAsync<long>("select count(*) from t") + (await CountAsync(target)) < 2)
        {
            Assert.False(run.IsCompleted, "the service ended");
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }

        var asked = await Cdcm.RunAsync("dlq", "discard", "--all", "--server", server);
        Assert.Equal(2, asked.ExitCode);
        Assert.Contains("--yes", asked.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await Cdcm.RunAsync("dlq", "discard", "--yes", "--server", server)).ExitCode);
        Assert.Equal(2, (await Cdcm.RunAsync("dlq", "show", "4711", "--server", server)).ExitCode);
        Assert.Equal(2, (await Cdcm.RunAsync("dlq", "retry", "4711", "--server", server)).ExitCode);
        Assert.Equal(1, await CountAsync(target));

        var discarded = await CdcmAsync<DeadLetterDiscardReport>(server, 0, "dlq", "discard", "--all", "--yes");
        Assert.Equal("""{"id":"1"}""", Assert.Single(discarded.Discarded).Key);
        Assert.Equal(["dead-letters-discarded|1"], await target.RowsAsync("select event, jsonb_array_length(evidence) from cdc_migrator.journal where actor like '%@%'"));

        // The row takes its later changes again.
        await source.ExecuteAsync("update t set v = 'again', n = 1 where id = 1");
        while (!(await target.RowsAsync("select * from t order by id")).SequenceEqual(["1|again|1", "2|fine|2"]))
        {
            Assert.False(run.IsCompleted, "the service ended");
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }

        await stop.CancelAsync();
        await run;
    }

    private static MigrationDefinition Definition(TestDatabase source, TestDatabase target)
    {
        var name = $"dlq_{Guid.NewGuid():N}"[..16];
        return new MigrationDefinition
        {
            Name = name,
            Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
            Target = new TargetSection(target.ConnectionString),
            Log = new LogSection { Kind = LogKind.Embedded, TopicPrefix = name },
            Tables = [new TableMapping { Source = new TableName("public", "t"), Target = new TableName("public", "t") }],
            Apply = new ApplySection { OnPoison = PoisonPolicy.DeadLetter },
            Service = new ServiceSection { Url = new Uri("http://127.0.0.1:0") },
        };
    }

    private static GateCriterion Criterion(StatusReport status) => status.Gate.Criteria.Single(criterion => criterion.Name == "deadLetters");

    private static async Task<long> CountAsync(TestDatabase target) =>
        await target.ScalarAsync<bool>("select to_regclass('cdc_migrator.dead_letter') is not null") ? await target.ScalarAsync<long>("select count(*) from cdc_migrator.dead_letter") : 0;

    private static async Task<T> CdcmAsync<T>(string server, int exitCode, params string[] arguments)
    {
        var result = await Cdcm.RunAsync([.. arguments, "--server", server, "-o", "json"]);
        Assert.True(result.ExitCode == exitCode, $"{result.ExitCode}: {result.Error}{result.Output}");
        return JsonSerializer.Deserialize<T>(result.Output, ApiJson.Options)!;
    }
}
