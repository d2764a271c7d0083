using CdcMigrator.Cutover;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.UnitTests.Configuration;

public sealed class CutoverFileTests
{
    private const string Least = """
        migration: shop
        source: { connection: "Host=a;Database=shop" }
        target: { connection: "Host=b;Database=shop" }
        log: { bootstrapServers: "k:9092" }
        tables: [ public.orders ]
        cutover:
        """;

    private const string Route = """
          route:
            pgbouncer:
              - { connection: "Host=pool;Username=admin;Password=${POOL}", databases: [ shop, shop_ro ], timeout: 5s }
            beforeFence:
              - name: page
                command: [ /opt/page, "on", "--to={{toHost}}", "${ARGUMENT}" ]
                env: { PAGE_TOKEN: "${PAGE}", API_KEY: literal-key, PLAIN: x }
                timeout: 2s
            afterOpen:
              - name: balancer
                http: "https://lb:8443/pools/{{migration}}?key=${LB}"
                method: put
                headers: { Authorization: "Bearer literal-bearer", X-From: cdcm }
                body: '{ "active": "{{toHost}}:{{toPort}}" }'
                status: [ 200, 409 ]
            onAbort:
              - { name: told, http: "http://hooks/abort" }
        """;

    [Fact]
    public void Limits_have_documented_defaults_and_those_of_the_source()
    {
        var options = CutoverOptions.Of(Read("{}"));
        Assert.Equal(("shop", TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30), TimeSpan.FromDays(14)), (options.Migration, options.Budget, options.Lease, options.RollbackWindow));
        Assert.Equal((1000, true), (options.SequenceMargin, options.RequireReverse));
        Assert.Equal((TimeSpan.FromSeconds(28), TimeSpan.FromSeconds(28) / 3), (options.KeptFor, options.RenewEvery));
        Assert.Equal(new CutoverDeadlines(), options.Deadlines);
        Assert.Empty(options.Route.PgBouncers);
        Assert.False(CutoverOptions.Of(Read("{}") with { Source = new SourceSection(SourceKind.MariaDb, "") }).RequireReverse);
    }

    [Fact]
    public void Limits_are_read()
    {
        var options = CutoverOptions.Of(Read("""
            { budget: 1s, lease: 1m, lockTimeout: 200ms, sequenceMargin: 5, requireReverse: false, rollbackWindow: 2d, appRoles: [ app ],
              deadlines: { preparing: 1m, fencing: 2s, draining: 3s, finalVerify: 4s, reverseArmed: 5s } }
            """));
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(200)), (options.Budget, options.Lease, options.LockTimeout));
        Assert.Equal((5, false, TimeSpan.FromDays(2)), (options.SequenceMargin, options.RequireReverse, options.RollbackWindow));
        Assert.Equal(["app"], options.AppRoles);
        Assert.Equal(
            new CutoverDeadlines
            {
                Preparing = TimeSpan.FromMinutes(1),
                Fencing = TimeSpan.FromSeconds(2),
                Draining = TimeSpan.FromSeconds(3),
                FinalVerify = TimeSpan.FromSeconds(4),
                ReverseArmed = TimeSpan.FromSeconds(5),
            },
            options.Deadlines);
    }

    [Fact]
    public void Hooks_are_read_with_what_they_must_not_show()
    {
        var route = Read("\n" + Route, name => $"secret of {name}").Cutover.Route;

        var bouncer = Assert.Single(route.PgBouncers);
        Assert.Equal(("pgbouncer", TimeSpan.FromSeconds(5)), (bouncer.Name, bouncer.Timeout));
        Assert.Equal(["shop", "shop_ro"], bouncer.Databases);
        Assert.Contains("secret of POOL", bouncer.Secrets);

        var command = Assert.IsType<CommandHook>(Assert.Single(route.BeforeFence));
        Assert.Equal(("page", TimeSpan.FromSeconds(2)), (command.Name, command.Timeout));
        Assert.Equal(["/opt/page", "on", "--to={{toHost}}", "secret of ARGUMENT"], command.Arguments.Select(text => text.Value));
        Assert.Equal("${ARGUMENT}", command.Arguments[3].Shown);
        Assert.Equal(["literal-key", "secret of ARGUMENT", "secret of PAGE"], command.Secrets.Order(StringComparer.Ordinal));

        var http = Assert.IsType<HttpHook>(Assert.Single(route.AfterOpen));
        Assert.Equal(("PUT", "https://lb:8443/pools/{{migration}}?key=secret of LB"), (http.Method, http.Url.Value));
        Assert.Equal([200, 409], http.Statuses);
        Assert.Equal(["literal-bearer", "secret of LB"], http.Secrets.Select(secret => secret.Replace("Bearer ", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(("POST", null, RoutingHook.DefaultTimeout), Assert.IsType<HttpHook>(Assert.Single(route.OnAbort)) is var told ? (told.Method, told.Body, told.Timeout) : default);
    }

    [Fact]
    public void The_effective_file_shows_hooks_without_secrets_and_loads_again()
    {
        Func<string, string?> environment = name => $"hidden-{name}";
        var definition = Read("\n" + Route, environment);
        foreach (var shown in new[] { EffectiveFile.Render(definition), EffectiveFile.RenderJson(definition) })
        {
            Assert.DoesNotContain("hidden", shown, StringComparison.Ordinal);
            Assert.DoesNotContain("literal-", shown, StringComparison.Ordinal);
            Assert.Contains("${LB}", shown, StringComparison.Ordinal);
        }

        var text = EffectiveFile.Render(definition);
        var again = MigrationFile.Parse(text, environment);
        Assert.Empty(again.Errors);
        Assert.Equal(text, EffectiveFile.Render(again.Definition!));
        var command = Assert.IsType<CommandHook>(Assert.Single(again.Definition!.Cutover.Route.BeforeFence));
        Assert.Equal("hidden-ARGUMENT", command.Arguments[3].Value);
    }

    [Theory]
    [InlineData("{ lease: 5s }", "cutover.lease is 5s but must be at least 10s")]
    [InlineData("{ lockTimeout: 20s }", "cutover.lockTimeout is 20s but must not be longer than deadlines.fencing (15s)")]
    [InlineData("{ lockTimeout: 8334ms }", "cutover.lockTimeout is 8334ms but must not be longer than 8333ms with a lease of 30s")]
    [InlineData("{ lease: 10s, lockTimeout: 2s }", "cutover.lockTimeout is 2s but must not be longer than 1666ms with a lease of 10s")]
    [InlineData("{ lease: 10s, lockTimeout: 1666ms }")]
    [InlineData("{ deadlines: { fencin: 1s } }", "unknown key 'fencin' in cutover.deadlines; did you mean 'fencing'?")]
    [InlineData("{ sequenceMargin: 0 }", "cutover.sequenceMargin is '0' but must be a whole number from 1")]
    [InlineData("{ requireReverse: maybe }", "'maybe' is not a value of cutover.requireReverse; it is one of true, false")]
    [InlineData("{ route: { afterOpened: [] } }", "unknown key 'afterOpened' in cutover.route; did you mean 'afterOpen'?")]
    [InlineData("{ route: { afterOpen: [ { name: a, url: x, command: [ c ] } ] } }", "unknown key 'url' in cutover.route.*[]")]
    [InlineData("{ route: { afterOpen: [ { command: [ c ] } ] } }", "key 'name' is missing in cutover.route.*[]")]
    [InlineData("{ route: { afterOpen: [ { name: a } ] } }", "hook 'a' must have either a command or an http")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: [ c ], http: 'http://x' } ] } }", "hook 'a' must have either a command or an http")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: c } ] } }", "cutover.route.*[].command must be a list", "hook 'a' names no program")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: [] } ] } }", "hook 'a' names no program")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: [ '' ] } ] } }", "hook 'a' names no program")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: [ c ], body: b } ] } }", "body of hook 'a' belongs to an http")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'http://x', env: { A: b } } ] } }", "env of hook 'a' belongs to a command")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: [ c, '{{host}}' ] } ] } }", "{{host}} in command of hook 'a' stands for nothing; known are migration, token")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: [ c ], env: { A-B: c } } ] } }", "'A-B' is not a name of an environment variable")]
    [InlineData("{ route: { afterOpen: [ { name: a, command: [ c ], env: { CDCM_TO_HOST: c } } ] } }", "CDCM_TO_HOST is set by cdcm for every command")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'ftp://x' } ] } }", "http of hook 'a' must be an http or https address")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'http://x', headers: { 'a b': c } } ] } }", "'a b' of hook 'a' cannot be sent")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'http://x', status: [ 2xx ] } ] } }", "'2xx' is not an HTTP status code")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'http://x', method: send } ] } }", "'send' is not a value of cutover.route.*[].method")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'http://x', timeout: 5 } ] } }", "timeout is '5' but must be a duration")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'http://x' }, { name: a, http: 'http://y' } ] } }", "two hooks of afterOpen are called a")]
    [InlineData("{ route: { afterOpen: [ { name: a, http: 'http://x/${NONE}' } ] } }", "environment variable NONE is not set")]
    [InlineData("{ route: { pgbouncer: [ { connection: 'Host=a' } ] } }", "pgbouncer must name the databases to pause")]
    [InlineData("{ route: { pgbouncer: [ { connection: 'Port=6432', databases: [ a ] } ] } }", "connection lacks Host")]
    [InlineData("{ route: { pgbouncer: [ { connection: 'Host=a,b', databases: [ a ] } ] } }", "connection names several hosts")]
    [InlineData("{ route: { pgbouncer: [ { connection: 'Hots=a', databases: [ a ] } ] } }", "connection is not a connection string")]
    [InlineData("{ route: { pgbouncer: [ { connection: 'Host=${NONE}', databases: [ a ] } ] } }", "environment variable NONE is not set")]
    public void A_mistake_is_named(string cutover, params string[] messages)
    {
        var errors = MigrationFile.Parse($"{Least} {cutover}", _ => null).Errors;
        Assert.Equal(messages.Length, errors.Count);
        Assert.All(messages.Zip(errors), pair => Assert.Contains(pair.First, pair.Second.Message, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.Equal(6, error.Line));
    }

    [Fact]
    public void A_way_back_to_MariaDB_cannot_be_required() => Assert.Contains(
        "there is no way back to a MariaDB or MySQL source",
        Assert.Single(MigrationFile.Parse($"{Least} {{ requireReverse: true }}".Replace("source: {", "source: { kind: mariadb,", StringComparison.Ordinal), _ => null).Errors).Message,
        StringComparison.Ordinal);

    private static MigrationDefinition Read(string cutover, Func<string, string?>? environment = null)
    {
        var reading = MigrationFile.Parse($"{Least} {cutover}", environment ?? (_ => null));
        Assert.Empty(reading.Errors);
        return reading.Definition!;
    }
}
