using CdcMigrator.Domain.Comparing;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>
/// Whether two servers hash the same text to the same number. <c>hashtextextended</c> hashes the bytes of the server's encoding, and is documented for no version or
/// machine to give what another gives (a big-endian one does not), so both are asked.
/// </summary>
internal static class HashAgreement
{
    /// <summary>Texts of every length around the hash's blocks of twelve bytes, and of more than one byte a character.</summary>
    private const string Vector = """
        select pg_catalog.current_setting('server_encoding') || ' ' || pg_catalog.string_agg(pg_catalog.hashtextextended(v collate "C", 7)::text, ',' order by n)
        from (select n, pg_catalog.repeat('a|', n / 2) || pg_catalog.repeat('x', n % 2) from pg_catalog.generate_series(0, 40) as g(n)
            union all values (41, U&'\00fc\2603\+01F600'), (42, pg_catalog.repeat(U&'0123456789\00e9', 1000))) as t(n, v)
        """;

    /// <summary>Where rows can be hashed: in the databases if both agree.</summary>
    public static async Task<HashPlace> FindAsync(NpgsqlDataSource source, NpgsqlDataSource target, CancellationToken cancellationToken)
    {
        if (await EncodingAsync(source, cancellationToken) != "UTF8" || await EncodingAsync(target, cancellationToken) != "UTF8")
        {
            return HashPlace.Here;
        }

        return await ReadAsync(source, Vector, cancellationToken) == await ReadAsync(target, Vector, cancellationToken) ? HashPlace.Database : HashPlace.Here;
    }

    private static Task<string> EncodingAsync(NpgsqlDataSource database, CancellationToken cancellationToken) =>
        ReadAsync(database, "select pg_catalog.current_setting('server_encoding')", cancellationToken);

    private static async Task<string> ReadAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
