using CdcMigrator.Debezium;
using CdcMigrator.Domain.Applying;
using CdcMigrator.Domain.Changes;
using CdcMigrator.Domain.Log;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Apply;
using CdcMigrator.Postgres.DeadLetters;
using CdcMigrator.TestKit.Changes;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Events;

namespace CdcMigrator.IntegrationTests.Postgres.DeadLetters;

/// <summary>A lane of <c>items(id, v varchar(5), note, code unique)</c> whose records are parked or applied as a test says.</summary>
internal sealed class ParkedScene : IAsyncDisposable
{
    public const string Schema = "create table items(id int primary key, v varchar(5), note text, code text unique)";

    private ParkedScene(LaneTarget target)
    {
        Target = target;
        Desk = new DeadLetterDesk(target.Store, target.Database.DataSource);
    }

    public static LaneId Lane { get; } = new("shop.public.items", 0);

    public LaneTarget Target { get; }

    public TestDatabase Database => Target.Database;

    public DeadLetterDesk Desk { get; }

    public DebeziumEventBuilder Events { get; } = new("public.items");

    public static async Task<ParkedScene> CreateAsync(PostgresFixture postgres, ApplySection? options = null, ISourceRows? source = null) =>
        new(await LaneTarget.CreateAsync(await postgres.CreateTargetAsync(Schema), ["public.items"], source, options));

    public IRecordDecoder Decoder() => new DebeziumDecoder(new DebeziumSettings { TopicPrefix = "shop" }, () => Target.Routes, null);

    public Task<ILaneWriter> ClaimAsync() => Target.Store.ClaimAsync(Lane, LaneTarget.Identity with { PartitionCount = 1 }, 0, CancellationToken.None);

    /// <summary>A batch of records, those of the named offsets parked.</summary>
    public ChangeBatch Batch(IReadOnlyList<LogRecord> records, params long[] parked)
    {
        var batch = new ChangeBatch();
        batch.Reset(Lane, records[0].Offset);
        var decoder = Decoder();
        foreach (var record in records)
        {
            if (parked.Contains(record.Offset))
            {
                var reading = decoder.ReadKey(record);
                batch.Park(new ParkedRecord(record, reading.Key!.Value, "bad-value", "too long", reading.Position));
            }
            else
            {
                decoder.Decode(record, batch);
            }

            batch.TakeIn(record.Offset);
        }

        return batch;
    }

    /// <summary>Applies records under a new claim, those of the named offsets parked.</summary>
    public async Task<ILaneWriter> ApplyAsync(IReadOnlyList<LogRecord> records, params long[] parked)
    {
        var writer = await ClaimAsync();
        await writer.ApplyAsync(Batch(records, parked), CancellationToken.None);
        return writer;
    }

    public async Task<RetryOutcome> RetryAsync(int id = 1) =>
        await Desk.RetryAsync(new ParkedRow(Lane, Key(id), 0, 0), Decoder(), "test", TestContext.Current.CancellationToken);

    public static ChangeKey Key(int id) => new("public.items", $$"""{"id":"{{id}}"}""");

    public Task<IReadOnlyList<string>> ItemsAsync() => Database.RowsAsync("select * from items order by id");

    public Task<IReadOnlyList<string>> LettersAsync() => Database.RowsAsync("select record_offset, row_key, code from cdc_migrator.dead_letter order by id");

    public Task<long> NextOffsetAsync() => Database.ScalarAsync<long>("select next_offset from cdc_migrator.progress");

    /// <summary>Makes the sessions that write to a table die in that statement, or in COMMIT.</summary>
    public Task KillOnAsync(string what, string table, bool atCommit) => Database.ExecuteAsync($"""
        create function die() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return null; end';
        create {(atCommit ? "constraint" : "")} trigger die after {what} on {table} {(atCommit ? "deferrable initially deferred" : "")} for each row execute function die();
        alter table {table} enable always trigger die
        """);

    public Task StopKillingAsync() => Database.ExecuteAsync("drop function die cascade");

    public ValueTask DisposeAsync() => Target.DisposeAsync();
}
