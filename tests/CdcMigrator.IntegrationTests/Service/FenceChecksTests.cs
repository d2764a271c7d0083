using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.IntegrationTests.Postgres.Fencing;
using CdcMigrator.Postgres.Fencing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Service;

/// <summary>An attempt is refused before applications notice anything where its fence would not hold, and given up behind the close where it does not.</summary>
public sealed class FenceChecksTests(PostgresFixture postgres)
{
    private const string Schema = "create table orders(id int primary key, v text) partition by range (id); create table o1 partition of orders for values from (0) to (100)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_side_that_cannot_be_closed_for_all_is_refused_with_everything_found()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        await using var roles = await Roles.CreateAsync(source, "create role {0}_app; grant all on all tables in schema public to {0}_app; create role {0}_reader");
        var (sides, definition) = New(source, target, $"{roles.Prefix}_app");
        await sides.PrepareAsync(Cancellation);
        await FenceChecks.RefuseAsync(sides, definition, Cancellation);

        await target.ExecuteAsync("create unlogged table o2 partition of orders for values from (100) to (200)");
        var gid = $"g{Guid.NewGuid():N}";
        await source.ExecuteAsync($"begin; insert into orders values (1, 'x'); prepare transaction '{gid}'");
        await target.ExecuteAsync($"begin; set local session_replication_role = replica; insert into orders values (1, 'applied'); prepare transaction '{gid}t'");
        var fault = (await Assert.ThrowsAsync<FaultException>(() => FenceChecks.RefuseAsync(sides, New(source, target, $"{roles.Prefix}_reader", "nobody_at_all").Definition, Cancellation))).Fault;
        await source.ExecuteAsync($"rollback prepared '{gid}'");
        await target.ExecuteAsync($"rollback prepared '{gid}t'");

        Assert.Equal((FaultKind.NotAllowed, "not-fenceable"), (fault.Kind, fault.Code));
        Assert.Contains($"Prepared transaction '{gid}' of role postgres", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"Prepared transaction '{gid}t' of role postgres", fault.Message, StringComparison.Ordinal);
        Assert.Contains("o2 in the target is UNLOGGED", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"Role {roles.Prefix}_reader may write none of the tables", fault.Message, StringComparison.Ordinal);
        Assert.Contains("role \"nobody_at_all\" does not exist", fault.Message, StringComparison.Ordinal);
        Assert.Equal(FenceState.Open, (await sides.Source.ReadAsync(Cancellation))!.State);
    }

    [Fact]
    public async Task Behind_the_close_a_write_that_goes_through_ends_the_attempt()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        await using var roles = await Roles.CreateAsync(source, "create role {0}_app; grant all on all tables in schema public to {0}_app");
        var (sides, definition) = New(source, target, $"{roles.Prefix}_app");
        await sides.PrepareAsync(Cancellation);
        Assert.Equal("fence-open", (await Assert.ThrowsAsync<FaultException>(() => FenceChecks.ProveDeniedAsync(sides.Source, definition.Cutover.AppRoles, Cancellation))).Fault.Code);
        await sides.Source.CloseAsync("a", 2, TimeSpan.FromMinutes(1), Cancellation);
        await FenceChecks.ProveDeniedAsync(sides.Source, definition.Cutover.AppRoles, Cancellation);
        await source.ExecuteAsync("alter table o1 disable trigger cdcm_fence");
        var fault = (await Assert.ThrowsAsync<FaultException>(() => FenceChecks.ProveDeniedAsync(sides.Source, definition.Cutover.AppRoles, Cancellation))).Fault;
        Assert.Contains($"Role {roles.Prefix}_app can write public.o1", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_whose_process_died_behind_the_seal_has_evidence_and_an_earlier_one_is_not_shown_for_it()
    {
        await using var source = await postgres.CreateSourceAsync(Schema);
        await using var target = await postgres.CreateTargetAsync(Schema);
        var (sides, definition) = New(source, target);
        await sides.PrepareAsync(Cancellation);
        Assert.Contains("No attempt has ended", (await Assert.ThrowsAsync<FaultException>(() => sides.ReadEvidenceAsync(null, Cancellation))).Fault.Message, StringComparison.Ordinal);
        async Task TurnAsync(FencedSide from, FencedSide to, string token, long epoch, MigrationDirection? kept = null)
        {
            await from.CloseAsync(token, epoch, TimeSpan.FromMinutes(1), Cancellation);
            var report = kept is { } direction ? new SealedReport("ann", JournaledAttempt.Of(Report(token, epoch, direction, CutoverPhase.Sealed), null, "1/1", "2/1", []).ToJson()) : null;
            Assert.True(await from.SealAsync(token, TimeSpan.Zero, new DirectionStart([], 1, []), terms: null, report, Cancellation));
            Assert.True(await to.OpenAsync(token, epoch, Cancellation));
        }

        await TurnAsync(sides.Source, sides.Target, "a", 2);
        await sides.NoteAsync(MigrationDirection.Forward, Report("a", 2, MigrationDirection.Forward, CutoverPhase.Done), null, [], Cancellation);
        Assert.Equal("a", (await sides.ReadEvidenceAsync(null, Cancellation)).Report.Attempt.Token);

        // As an earlier version left it, which wrote nothing with the seal.
        await TurnAsync(sides.Target, sides.Source, "b", 3);
        var fault = (await Assert.ThrowsAsync<FaultException>(() => sides.ReadEvidenceAsync(null, Cancellation))).Fault;
        Assert.Equal("no-evidence", fault.Code);
        Assert.Contains("last attempt, b, has opened", fault.Message, StringComparison.Ordinal);
        Assert.Equal("a", (await sides.ReadEvidenceAsync("a", Cancellation)).Report.Attempt.Token);

        await TurnAsync(sides.Source, sides.Target, "c", 4, MigrationDirection.Forward);
        Assert.Equal(("c", CutoverPhase.Sealed), await LastAsync());

        // Refused ones and undone ones come behind it, and its own report in front of it.
        await sides.NoteAsync(MigrationDirection.Back, Report("d", 5, MigrationDirection.Back, CutoverPhase.Undone), null, [], Cancellation);
        Assert.Equal(("c", CutoverPhase.Sealed), await LastAsync());
        await sides.NoteAsync(MigrationDirection.Forward, Report("c", 4, MigrationDirection.Forward, CutoverPhase.Done), null, [], Cancellation);
        Assert.Equal(("c", CutoverPhase.Done), await LastAsync());

        // With one side away: what the one that takes writes was opened by is the last one. Where it is not open, the other one may have been left since, and it alone would know.
        await using var gone = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=gone;Timeout=1");
        var alone = new Sides(definition, gone, target.DataSource, TimeProvider.System);
        Assert.Equal("c", (await alone.ReadEvidenceAsync(null, Cancellation)).Report.Attempt.Token);
        await TurnAsync(sides.Target, sides.Source, "e", 6, MigrationDirection.Back);
        var unknown = (await Assert.ThrowsAsync<FaultException>(() => alone.ReadEvidenceAsync(null, Cancellation))).Fault;
        Assert.Equal((FaultKind.Unreachable, true), (unknown.Kind, unknown.Message.StartsWith("One side does not answer", StringComparison.Ordinal)));
        Assert.Equal("c", (await alone.ReadEvidenceAsync("c", Cancellation)).Report.Attempt.Token);

        async Task<(string, CutoverPhase)> LastAsync() => await sides.ReadEvidenceAsync(null, Cancellation) is { Report: var last } ? (last.Attempt.Token, last.Phase) : default;

        static CutoverReport Report(string token, long epoch, MigrationDirection direction, CutoverPhase phase) => new() { Attempt = new CutoverAttempt(token, epoch, direction, "ann", Rehearsal: false), Phase = phase };
    }

    private static (Sides Sides, MigrationDefinition Definition) New(TestDatabase source, TestDatabase target, params string[] roles)
    {
        var definition = new MigrationDefinition
        {
            Name = "m",
            Source = new SourceSection(SourceKind.PostgreSql, source.ConnectionString),
            Target = new TargetSection(target.ConnectionString),
            Log = new LogSection { TopicPrefix = "m" },
            Tables = [new TableMapping { Source = new TableName("public", "orders"), Target = new TableName("public", "orders") }],
            Cutover = new CutoverSection { AppRoles = roles },
        };
        return (new Sides(definition, source.DataSource, target.DataSource, TimeProvider.System), definition);
    }
}
