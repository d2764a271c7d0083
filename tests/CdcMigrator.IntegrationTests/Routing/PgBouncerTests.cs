using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Postgres.Routing;
using CdcMigrator.Service.Switching;
using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Routing;

/// <summary>An application that writes through a real PgBouncer while its database moves: it waits, and goes on at the other server.</summary>
public sealed class PgBouncerTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly HookRunner runner = new();
    private TestDatabase left = null!;
    private TestDatabase right = null!;
    private PgBouncerServer bouncer = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HookContext Context => new("m", "t", 2, MigrationDirection.Forward, EndOf(left), EndOf(right));

    public async ValueTask InitializeAsync()
    {
        left = await postgres.CreateSourceAsync("create table orders(id int primary key)");
        right = await postgres.CreateTargetAsync("create table orders(id int primary key)");
        bouncer = await PgBouncerServer.StartAsync(EndOf(left).Port, EndOf(left).Database);
    }

    public async ValueTask DisposeAsync()
    {
        runner.Dispose();
        if (bouncer is not null)
        {
            await bouncer.DisposeAsync();
        }

        await left.DisposeAsync();
        await right.DisposeAsync();
    }

    [Fact]
    public async Task Writes_wait_while_the_database_moves_and_go_on_at_the_other_server_without_an_error()
    {
        var hooks = Hooks(bouncer, Command("point to the new side", "sed", "-i", "s/^shop = .*/shop = host={{toHost}} port={{toPort}} dbname={{toDatabase}} user=postgres/", bouncer.Configuration));
        Assert.Empty(await hooks.CheckAsync(Cancellation));
        await using var application = new Writer(bouncer.Application);
        await application.ReachAsync(3);

        Assert.True((await hooks.BeforeFenceAsync(Context, Cancellation)).Single().Succeeded);
        await left.ExecuteAsync("alter table orders rename to moved");
        Assert.True((await hooks.BeforeFenceAsync(Context, Cancellation)).Single().Succeeded);
        var before = await left.ScalarAsync<long>("select count(*) from moved");

        var told = new List<HookOutcome>();
        await hooks.AfterOpenAsync(Context, Told(told), Cancellation);
        Assert.All(told, outcome => Assert.True(outcome.Succeeded, outcome.Fault?.ToString()));
        Assert.Equal($"shop: resumed, leads to {Context.To}", told[^1].Output);
        await application.ReachAsync(application.Acknowledged + 3);
        await application.DisposeAsync();

        // Every acknowledged write is on one of both sides, and none met an error.
        Assert.Equal(before, await left.ScalarAsync<long>("select count(*) from moved"));
        Assert.Equal(application.Acknowledged, before + await right.ScalarAsync<long>("select count(*) from orders"));

        // Repeated by a process that does not know how the first one ended.
        told.Clear();
        await hooks.AfterOpenAsync(Context, Told(told), Cancellation);
        Assert.Equal($"shop: was not paused, leads to {Context.To}", told[^1].Output);
    }

    [Fact]
    public async Task A_process_that_dies_in_the_middle_of_a_pause_leaves_it_and_the_next_ones_abort_resumes()
    {
        await using var open = new NpgsqlConnection(bouncer.Application);
        await open.OpenAsync(Cancellation);
        await using var transaction = await open.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(open, "insert into orders values (-1)");

        using var death = new CancellationTokenSource();
        var pausing = Hooks(bouncer).BeforeFenceAsync(Context, death.Token);
        while (!await IsPausedAsync())
        {
            Assert.False(pausing.IsCompleted, "the pause did not wait for the transaction");
        }

        await death.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pausing);

        // Still paused: nobody but the next process's abort lets the application go on.
        await using var application = new Writer(bouncer.Application);
        await transaction.CommitAsync(Cancellation);
        Assert.True(await IsPausedAsync());
        using var next = new HookRunner();
        var outcome = Assert.Single(await new RoutingHooks(new RouteSection { PgBouncers = [Hook(bouncer)] }, next, TimeProvider.System).OnAbortAsync(Context, () => Task.FromResult(true), Cancellation));
        Assert.Equal($"shop: resumed, leads to {Context.From}", outcome.Output);
        await application.ReachAsync(3);
        Assert.Equal(["-1"], await left.RowsAsync("select id from orders where id < 0"));
    }

    [Fact]
    public async Task A_pause_that_a_transaction_holds_up_fails_in_time_and_an_abort_takes_it_back()
    {
        await using var open = new NpgsqlConnection(bouncer.Application);
        await open.OpenAsync(Cancellation);
        await using var transaction = await open.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(open, "select 1");

        var hooks = Hooks(bouncer, timeout: TimeSpan.FromMilliseconds(300));
        var outcome = Assert.Single(await hooks.BeforeFenceAsync(Context, Cancellation));
        Assert.Equal("beforeFence hook 'pgbouncer': transactions in progress did not end within 300ms", outcome.Fault!.Message);
        await transaction.RollbackAsync(Cancellation);
        Assert.All(await Hooks(bouncer).OnAbortAsync(Context, () => Task.FromResult(true), Cancellation), aborted => Assert.True(aborted.Succeeded));
        Assert.False(await IsPausedAsync());
        await ExecuteAsync(open, "insert into orders values (1)");
    }

    [Fact]
    public async Task Who_still_leads_to_the_side_that_was_left_is_not_resumed_until_that_is_mended()
    {
        Assert.True((await Hooks(bouncer).BeforeFenceAsync(Context, Cancellation)).Single().Succeeded);
        var told = new List<HookOutcome>();
        await Hooks(bouncer).AfterOpenAsync(
            Context,
            async outcome =>
            {
                await Told(told)(outcome);
                if (!outcome.Succeeded)
                {
                    Assert.True(await IsPausedAsync());
                    bouncer.PointTo(Context.To.Port, Context.To.Database);
                }
            },
            Cancellation);
        Assert.Equal([false, true], told.Select(outcome => outcome.Succeeded));
        Assert.Contains($"PgBouncer's configuration still leads shop to {Context.From}, which takes no writes any more", told[0].Fault!.Message, StringComparison.Ordinal);
        Assert.Contains("-c RELOAD -c 'RESUME \"shop\"'", told[0].Fault!.Fix, StringComparison.Ordinal);
        Assert.DoesNotContain(PgBouncerServer.Password, told[0].Fault!.ToString(), StringComparison.Ordinal);
        Assert.False(await IsPausedAsync());
    }

    [Theory]
    [InlineData("auth_type = plain")]
    [InlineData("auth_type = scram-sha-256")]
    [InlineData("auth_type = trust")]
    public async Task Every_way_to_log_in_is_known(string method)
    {
        await using var other = await PgBouncerServer.StartAsync(EndOf(left).Port, EndOf(left).Database, method);
        Assert.Empty(await Hooks(other).CheckAsync(Cancellation));
        Assert.Equal("was not paused", (await Hooks(other).OnAbortAsync(Context, () => Task.FromResult(true), Cancellation)).Single().Output.Split(':', ',')[1].Trim());
    }

    [Fact]
    public async Task The_console_is_reached_over_TLS_and_its_certificate_is_looked_at_where_that_is_wanted()
    {
        var folder = Directory.CreateTempSubdirectory("cdcm-tls-").FullName;
        try
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            request.CertificateExtensions.Add(names.Build());
            using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            await File.WriteAllTextAsync($"{folder}/cert.pem", certificate.ExportCertificatePem(), Cancellation);
            await File.WriteAllTextAsync($"{folder}/key.pem", key.ExportPkcs8PrivateKeyPem(), Cancellation);
            await ProcessRun.RunAsync("chmod", ["-R", "a+rX", folder]);
            await using var secure = await PgBouncerServer.StartAsync(
                EndOf(left).Port, EndOf(left).Database, "client_tls_sslmode = require", $"client_tls_cert_file = {folder}/cert.pem", $"client_tls_key_file = {folder}/key.pem", "auth_type = scram-sha-256");
            Assert.Null(await CheckAsync("SSL Mode=Require"));
            Assert.Null(await CheckAsync($"SSL Mode=VerifyFull;Root Certificate={folder}/cert.pem;Host=localhost"));
            Assert.Null(await CheckAsync($"SSL Mode=VerifyCA;Root Certificate={folder}/cert.pem"));
            Assert.Equal("pgbouncer-unreachable", await CheckAsync($"SSL Mode=VerifyFull;Root Certificate={folder}/cert.pem"));
            Assert.Equal("pgbouncer-unreachable", await CheckAsync("SSL Mode=VerifyCA"));
            Assert.Equal("pgbouncer-login", await CheckAsync("SSL Mode=Disable"));

            async Task<string?> CheckAsync(string more) => (await runner.CheckAsync(Hook(secure) with { Connection = HookText.Plain($"{secure.Console};{more}") }, Cancellation))?.Code;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task What_would_fail_in_the_night_is_said_before()
    {
        Assert.Contains("refuses the login", await FaultAsync(Hook(bouncer) with { Connection = HookText.Plain(bouncer.Console.Replace("pass", "word", StringComparison.Ordinal)) }), StringComparison.Ordinal);
        Assert.Contains("knows no database other; it has ", await FaultAsync(Hook(bouncer) with { Databases = ["other"] }), StringComparison.Ordinal);
        Assert.Contains("does not answer", await FaultAsync(Hook(bouncer) with { Connection = HookText.Plain("Host=127.0.0.1;Port=1;Username=admin") }), StringComparison.Ordinal);
        Assert.Contains("offers no TLS", await FaultAsync(Hook(bouncer) with { Connection = HookText.Plain($"{bouncer.Console};SSL Mode=Require") }), StringComparison.Ordinal);
        await using var session = await PgBouncerServer.StartAsync(EndOf(left).Port, EndOf(left).Database, "pool_mode = session");
        Assert.Contains("has pool_mode session for shop", await FaultAsync(Hook(session)), StringComparison.Ordinal);

        async Task<string> FaultAsync(PgBouncerHook hook) => (await runner.CheckAsync(hook, Cancellation))?.Message ?? "";
    }

    private static PgBouncerHook Hook(PgBouncerServer server, TimeSpan? timeout = null) =>
        new("pgbouncer", HookText.Plain(server.Console) with { Secrets = [PgBouncerServer.Password] }, ["shop"], timeout ?? TimeSpan.FromMinutes(1));

    private static CommandHook Command(string name, params string[] arguments) =>
        new(name, [.. arguments.Select(HookText.Plain)], new Dictionary<string, HookText>(), TimeSpan.FromMinutes(1));

    private static Func<HookOutcome, Task> Told(List<HookOutcome> told) => outcome =>
    {
        told.Add(outcome);
        return Task.CompletedTask;
    };

    private static RouteEnd EndOf(TestDatabase database) => RouteEnds.Of(new TargetSection(database.ConnectionString));

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private RoutingHooks Hooks(PgBouncerServer server, RoutingHook? afterOpen = null, TimeSpan? timeout = null) =>
        new(new RouteSection { PgBouncers = [Hook(server, timeout)], AfterOpen = afterOpen is null ? [] : [afterOpen] }, runner, TimeProvider.System);

    private async Task<bool> IsPausedAsync()
    {
        await using var console = await PgBouncerConsole.OpenAsync(bouncer.Console, Cancellation);
        return (await console.RunAsync("SHOW DATABASES", Cancellation)).Single(row => row["name"] == "shop")["paused"] == "1";
    }

    /// <summary>An application: one write after another through the pooler, each a transaction.</summary>
    private sealed class Writer : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task writing;
        private int acknowledged;

        public Writer(string connection) => writing = Task.Run(() => WriteAsync(connection));

        public int Acknowledged => Volatile.Read(ref acknowledged);

        public async Task ReachAsync(int count)
        {
            while (Acknowledged < count)
            {
                Assert.False(writing.IsFaulted, writing.Exception?.ToString());
                await Task.Delay(TimeSpan.FromMilliseconds(5), Cancellation);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await writing;
        }

        private async Task WriteAsync(string connection)
        {
            await using var application = new NpgsqlConnection(connection);
            await application.OpenAsync();
            for (var id = 1; !stop.IsCancellationRequested; id++)
            {
                await using var command = new NpgsqlCommand($"insert into orders values ({id})", application);
                await command.ExecuteNonQueryAsync();
                Interlocked.Increment(ref acknowledged);
            }
        }
    }
}
