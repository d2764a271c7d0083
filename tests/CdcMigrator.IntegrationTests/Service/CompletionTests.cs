using CdcMigrator.Connect;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Microsoft.Extensions.Logging.Abstractions;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>The end of a migration, by a process that dies between any two of its steps.</summary>
public sealed class CompletionTests(PostgresFixture postgres)
{
    private const string Schema = "create table orders(id int primary key, v text) partition by range (id); create table o1 partition of orders for values from (0) to (100)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Another_process_takes_away_what_one_that_died_left(int done)
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateSourceAsync(Schema);
        var definition = new MigrationDefinition
        {
            Name = $"over{done}",
            Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
            Target = new TargetSection(target.ConnectionString),
            Log = new LogSection { TopicPrefix = "m" },
            Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
        };
        var (slot, back) = (ConnectorNames.Slot(definition.LogName), ConnectorNames.Slot(definition.TurnedRound().LogName));
        await source.ExecuteAsync($"create publication {slot} for table orders");
        await target.ExecuteAsync($"create publication {back} for table orders");
        await source.ExecuteAsync($"select pg_create_logical_replication_slot('{slot}', 'pgoutput')");
        await target.ExecuteAsync($"select pg_create_logical_replication_slot('{back}', 'pgoutput')");
        var sides = new Sides(definition, source.DataSource, target.DataSource, TimeProvider.System);
        await sides.PrepareAsync(Cancellation);
        await sides.Source.CloseAsync("a", 2, TimeSpan.FromMinutes(1), Cancellation);
        Assert.True(await sides.Source.SealAsync("a", TimeSpan.Zero, null, Cancellation));
        Assert.True(await sides.Target.OpenAsync("a", 2, Cancellation));

        var dying = New();
        await dying.DecideAsync("somebody", Cancellation);
        Assert.True(dying.Steps.Count >= done);
        foreach (var step in dying.Steps.Take(done))
        {
            await step(Cancellation);
        }

        await New().FinishAsync(Cancellation);

        var slots = $"select slot_name from pg_replication_slots where slot_name in ('{slot}', '{back}')";
        Assert.Empty(await source.RowsAsync(slots));
        foreach (var side in new[] { source, target })
        {
            Assert.Empty(await side.RowsAsync("select pubname from pg_publication"));
            Assert.Equal(["migration-completed", "completion-finished"], await side.RowsAsync("select event from cdc_migrator.journal where event like '%complet%' order by id"));
        }

        Assert.Empty(await target.RowsAsync("select tgname from pg_trigger where tgfoid = to_regprocedure('cdc_migrator.deny_write()')"));
        Assert.NotEmpty(await source.RowsAsync("select tgname from pg_trigger where tgfoid = to_regprocedure('cdc_migrator.deny_write()')"));
        var (left, open) = await sides.ReadAsync(Cancellation);
        Assert.Equal((FenceState.Sealed, FenceState.Open), (left!.State, open!.State));
        Assert.All([left, open], side => Assert.Equal("somebody", side.CompletedBy));

        Completion New() => new(definition, sides, TimeProvider.System, NullLogger.Instance);
    }
}
