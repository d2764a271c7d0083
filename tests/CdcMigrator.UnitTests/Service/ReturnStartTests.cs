using CdcMigrator.Cutover;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Runtime;
using CdcMigrator.Service.Switching;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Prometheus;

namespace CdcMigrator.UnitTests.Service;

/// <summary>What an attempt asks of its way back, where that does not run.</summary>
public sealed class ReturnStartTests : IAsyncDisposable
{
    private static readonly FenceMarker Marker = new("marker:1", 1);
    private readonly NpgsqlDataSource nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=x");
    private readonly MigrationRuntime back = new(Scene.Definition.TurnedRound(), Metrics.NewCustomRegistry(), TimeProvider.System, NullLoggerFactory.Instance);

    public async ValueTask DisposeAsync()
    {
        await back.DisposeAsync();
        await nowhere.DisposeAsync();
    }

    [Theory]
    [InlineData(ReturnWay.IfItWorks, "it does not run")]
    [InlineData(ReturnWay.None, "it was asked for without one")]
    public async Task An_attempt_that_may_do_without_asks_nothing_of_it_and_says_why(ReturnWay way, string why)
    {
        var start = New();
        start.Begin(way);
        Assert.StartsWith(why, start.NoReturn, StringComparison.Ordinal);
        Assert.Null(await start.TryAsync(Marker, TestContext.Current.CancellationToken));
        Assert.Equal((null, null), await start.FindAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task One_that_requires_it_is_refused()
    {
        var start = New();
        start.Begin(ReturnWay.Required);
        Assert.Null(start.NoReturn);
        await Assert.ThrowsAsync<FaultException>(() => start.TryAsync(Marker, TestContext.Current.CancellationToken));
        Assert.Null(start.NoReturn);
    }

    [Theory]
    [InlineData(MigrationDirection.Back, true, "Set offset.flush.interval.ms of the Connect worker to 200,")]
    [InlineData(MigrationDirection.Forward, true, "Set offset.flush.interval.ms of the Connect worker to 200,")]
    [InlineData(MigrationDirection.Back, false, "'cdcm status --back' shows why;")]
    [InlineData(MigrationDirection.Forward, false, "'cdcm status' shows why;")]
    public void A_marker_that_came_and_is_not_confirmed_names_the_setting_and_one_that_did_not_come_who_shows_why(MigrationDirection direction, bool seen, string fix)
    {
        var fault = ReturnStart.Missing(direction, seen, TimeSpan.FromSeconds(10));
        Assert.Equal((FaultKind.TimedOut, "not-drained"), (fault.Kind, fault.Code));
        Assert.StartsWith(fix, fault.Fix, StringComparison.Ordinal);
        Assert.Equal(seen, fault.Message.Contains("was not confirmed in 10 s", StringComparison.Ordinal));
        Assert.Contains(direction == MigrationDirection.Back ? "requireReverse: false" : "cdcm rollback --no-return", fault.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_speaks_of_the_way_forward_and_the_person_of_the_way_back()
    {
        var options = CutoverOptions.Of(Scene.Definition);
        Assert.Equal((ReturnWay.Required, ReturnWay.Required, ReturnWay.None), Ways(options));
        Assert.Equal((ReturnWay.IfItWorks, ReturnWay.Required, ReturnWay.None), Ways(options with { RequireReverse = false }));

        static (ReturnWay Forward, ReturnWay Back, ReturnWay ForGood) Ways(CutoverOptions options) =>
            (options.ReturnOf(MigrationDirection.Forward, none: false), options.ReturnOf(MigrationDirection.Back, none: false), options.ReturnOf(MigrationDirection.Back, none: true));
    }

    private ReturnStart New() => new(back, new Sides(Scene.Definition, nowhere, nowhere, TimeProvider.System), CutoverOptions.Of(Scene.Definition), TimeProvider.System);
}
