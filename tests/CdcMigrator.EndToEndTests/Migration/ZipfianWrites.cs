using System.Globalization;
using Npgsql;

namespace CdcMigrator.EndToEndTests.Migration;

/// <summary>
/// Single-row transactions on table <c>hot</c>: eight in ten update, one inserts, one deletes. Keys are zipfian, so that some change many times a second; a few in a
/// thousand are those of <see cref="WarmKeys"/>, which are only updated, and never in their large column.
/// </summary>
internal sealed class ZipfianWrites : IAsyncDisposable
{
    public const int Keys = 15_000;
    public const long FirstWarm = 900_001;
    public const int WarmKeys = 20;
    private const int Writers = 4;
    private const int MostAtOnce = 60;
    private const double WarmShare = 0.002;
    private const double Exponent = 0.99;
    private static readonly double[] Cumulative = Weights();
    private readonly CancellationTokenSource stop = new();
    private readonly string connection;
    private readonly double rate;
    private readonly Task[] writers;
    private readonly long began = TimeProvider.System.GetTimestamp();
    private long committed;

    private ZipfianWrites(string connection, double rate)
    {
        this.connection = new NpgsqlConnectionStringBuilder(connection) { Options = "-c synchronous_commit=off", MaxAutoPrepare = 20 }.ConnectionString;
        this.rate = rate;
        writers = [.. Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(writer)))];
    }

    /// <summary>Transactions committed.</summary>
    public long Committed => Interlocked.Read(ref committed);

    /// <summary>Transactions a second since the start.</summary>
    public double Achieved => Committed / TimeProvider.System.GetElapsedTime(began).TotalSeconds;

    /// <summary>Begins to write so many transactions a second, or as many as the machine takes.</summary>
    public static ZipfianWrites Start(string connection, double rate) => new(connection, rate);

    /// <summary>A key by its rank: the most written ones lie apart from each other.</summary>
    public static long KeyOf(int rank) => (rank * 7919L % Keys) + 1;

    /// <summary>Ends and says what went wrong, if anything did.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(writers);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(writers).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        stop.Dispose();
    }

    private async Task WriteAsync(int writer)
    {
        var random = new Random(writer);
        await using var source = NpgsqlDataSource.Create(connection);
        await using var session = await source.OpenConnectionAsync();
        var sent = 0L;
        var next = 1_000_000L * (writer + 1);
        while (!stop.IsCancellationRequested)
        {
            var due = (long)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * rate / Writers) - sent;
            if (due <= 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                continue;
            }

            // With barriers each statement is a transaction of its own; they are sent together.
            await using var batch = new NpgsqlBatch(session) { EnableErrorBarriers = true };
            for (var i = Math.Min(due, MostAtOnce); i > 0; i--)
            {
                batch.BatchCommands.Add(Statement(random, ref next));
            }

            await batch.ExecuteNonQueryAsync();
            sent += batch.BatchCommands.Count;
            Interlocked.Add(ref committed, batch.BatchCommands.Count);
        }
    }

    private static NpgsqlBatchCommand Statement(Random random, ref long next)
    {
        var key = KeyOf(Rank(random));
        if (random.NextDouble() < WarmShare)
        {
            return Command("update hot set n = n + 1, at = at + interval '1 millisecond' where id = $1", FirstWarm + random.Next(WarmKeys));
        }

        return random.Next(20) switch
        {
            0 => Command(Insert, next++),
            1 => Command(Insert, key),
            2 or 3 => Command("delete from hot where id = $1", key),
            < 10 => Command("update hot set n = n + 1, f = random() where id = $1", key),
            < 15 => Command("update hot set amount = amount + 0.01, doc = jsonb_build_object('n', n) where id = $1", key),
            _ => Command("update hot set b = nullif(substr(md5(random()::text), 1, n % 3), ''), note = note || ' ' where id = $1 and length(note) < 40", key),
        };
    }

    private const string Insert = "insert into hot (id, n, b, amount, f, at, note, doc) values ($1, 0, null, 0.10, 0, now(), 'new', '{}') on conflict (id) do nothing";

    private static NpgsqlBatchCommand Command(string sql, long key) => new(sql) { Parameters = { new NpgsqlParameter<long> { TypedValue = key } } };

    private static int Rank(Random random)
    {
        var at = Array.BinarySearch(Cumulative, random.NextDouble() * Cumulative[^1]);
        return Math.Min(at < 0 ? ~at : at, Keys - 1);
    }

    private static double[] Weights()
    {
        var (weights, sum) = (new double[Keys], 0.0);
        for (var rank = 0; rank < Keys; rank++)
        {
            weights[rank] = sum += 1 / Math.Pow(rank + 1, Exponent);
        }

        return weights;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Committed} transactions, {Achieved:0} a second");
}
