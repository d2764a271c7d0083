using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>Roles of one test: they belong to the server, so they have names of their own and go with the test.</summary>
internal sealed class Roles : IAsyncDisposable
{
    private readonly TestDatabase database;

    private Roles(TestDatabase database) => this.database = database;

    /// <summary>What their names begin with.</summary>
    public string Prefix { get; } = $"r{Guid.NewGuid():N}"[..10];

    /// <summary>Runs SQL in which <c>{0}</c> is the prefix.</summary>
    public static async Task<Roles> CreateAsync(TestDatabase database, string sql)
    {
        var roles = new Roles(database);
        await roles.ExecuteAsync(sql);
        return roles;
    }

    public Task ExecuteAsync(string sql) => database.ExecuteAsync(sql.Replace("{0}", Prefix, StringComparison.Ordinal));

    public async ValueTask DisposeAsync() => await ExecuteAsync("""
        do $$ declare one text; begin
            for one in select rolname from pg_roles where rolname like '{0}%' loop
                execute format('reassign owned by %I to postgres; drop owned by %I; drop role %I', one, one, one);
            end loop;
        end $$
        """);
}
