using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.IntegrationTests.Postgres.Fencing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>On the night on which one side is gone the other one is of use.</summary>
public sealed class OneSideAwayTests(PostgresFixture postgres)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_attempt_is_called_off_by_the_databases_alone_though_the_other_side_does_not_answer()
    {
        await using var pair = await FencedPair.CreateAsync(postgres, Lease);
        var definition = new MigrationDefinition
        {
            Name = "m",
            Source = new SourceSection(SourceKind.PostgreSql, pair.Left.ConnectionString),
            Target = new TargetSection("Host=127.0.0.1;Port=1;Database=gone;Timeout=1"),
            Log = new LogSection { TopicPrefix = "m" },
            Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
        };

        // There is nothing on the side that answers, and of the other one that is not known.
        var unknown = (await Assert.ThrowsAsync<FaultException>(() => OfflineCutover.AbortAsync(definition, Cancellation))).Fault;
        Assert.Equal(FaultKind.Unreachable, unknown.Kind);
        Assert.StartsWith("The target does not answer", unknown.Message, StringComparison.Ordinal);

        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        Assert.Equal((false, false), await pair.WritableAsync());
        var status = await OfflineCutover.AbortAsync(definition, Cancellation);
        Assert.Equal((true, false), await pair.WritableAsync());
        Assert.Equal((FenceState.Open, null), (status.Source?.State, status.Target));
        Assert.StartsWith("The target does not answer", status.Away?.Message, StringComparison.Ordinal);

        // One that makes applications wait, and has closed nothing yet.
        Assert.True(await pair.Source.Hold.TakeAsync("b", 3, Lease, Cancellation));
        await OfflineCutover.AbortAsync(definition, Cancellation);
        Assert.NotNull(await pair.Source.Hold.FindCalledOffAsync("b", Cancellation));
    }

    [Fact]
    public async Task Where_nothing_is_held_any_more_a_side_is_not_opened_for_one_that_came_back_without_its_seal()
    {
        await using var pair = await FencedPair.CreateAsync(postgres, Lease);
        var attempt = new CutoverAttempt("a", 2, MigrationDirection.Forward, "ann", Rehearsal: false);
        await using var opening = new SideOpening(pair.Target, pair.Source, Lease);
        await pair.Source.CloseAsync("a", 2, Lease, Cancellation);
        await opening.HoldAsync(attempt, Cancellation);
        Assert.True(await pair.Source.SealAsync("a", TimeSpan.FromSeconds(2), aim: null, Cancellation));

        // The coordinator stood still for longer than its session may say nothing, and the side that was left failed over to a copy that does not have the seal.
        await pair.Right.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction' and datname = current_database()");
        await pair.Left.ExecuteAsync("update cdc_migrator.fence_state set state = 'closed', lease_until = clock_timestamp() - interval '1 second'");
        Assert.True(await pair.Source.UndoAsync("a", onlyForsaken: true, Cancellation));
        for (var look = 0; look < 2; look++)
        {
            Assert.Equal("not-left", (await Assert.ThrowsAsync<FaultException>(() => opening.OpenAsync(attempt, Cancellation))).Fault.Code);
            Assert.Equal((true, false), await pair.WritableAsync());
        }

        // With its seal it is opened.
        await pair.Left.ExecuteAsync("update cdc_migrator.fence_state set state = 'sealed'");
        Assert.NotNull(await opening.OpenAsync(attempt, Cancellation));
    }
}
