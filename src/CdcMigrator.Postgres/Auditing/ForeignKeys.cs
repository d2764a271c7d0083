using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>Foreign keys, and the rows that lack the row they refer to.</summary>
internal static class ForeignKeys
{
    private const string Keys = """
        with wanted as (select c.oid from unnest($1::text[], $2::text[]) as w(s, r)
            join pg_catalog.pg_namespace n on n.nspname = w.s join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.r)
        select k.conname::text, cn.nspname::text, cr.relname::text, pn.nspname::text, pr.relname::text, k.confdeltype, k.confmatchtype,
            array(select a.attname::text from unnest(k.conkey) with ordinality u(n, i) join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by i),
            array(select a.attname::text from unnest(k.confkey) with ordinality u(n, i) join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by i),
            k.convalidated
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class cr on cr.oid = k.conrelid join pg_catalog.pg_namespace cn on cn.oid = cr.relnamespace
        join pg_catalog.pg_class pr on pr.oid = k.confrelid join pg_catalog.pg_namespace pn on pn.oid = pr.relnamespace
        where k.contype = 'f' and k.conparentid = 0 and (k.conrelid in (select oid from wanted) or k.confrelid in (select oid from wanted))
        order by cn.nspname, cr.relname, k.conname
        """;

    private sealed record Key(string Name, TableName Child, TableName Parent, char OnDelete, bool IsFull, string[] Columns, string[] Referenced);

    public static async Task<(IReadOnlyList<ForeignKeyProfile> Keys, IReadOnlyList<Finding> Findings)> ReadAsync(
        NpgsqlDataSource database, IReadOnlyDictionary<TableName, double> percentOf, TimeSpan limit, CancellationToken cancellationToken)
    {
        var profiles = new List<ForeignKeyProfile>();
        var findings = new List<Finding>();
        foreach (var key in await ReadKeysAsync(database, percentOf.Keys, cancellationToken))
        {
            var name = new { Child = key.Child.ToString(), Parent = key.Parent.ToString() };
            var profile = new ForeignKeyProfile(key.Name, name.Child, name.Parent) { OnDelete = Action(key.OnDelete) };
            if (!percentOf.ContainsKey(key.Parent) || !percentOf.ContainsKey(key.Child))
            {
                findings.Add(new Finding(Severity.Warning, "fk-outside", $"Foreign key {key.Name} joins {name.Child} with {name.Parent}, of which the migration file names one only",
                    "Move both; or drop the constraint in the target, where the other table's rows are missing")
                { Table = percentOf.ContainsKey(key.Child) ? name.Child : name.Parent });
            }

            if (percentOf.TryGetValue(key.Child, out var percent))
            {
                var (orphans, trouble) = await CountAsync(database, key, percent, limit, cancellationToken);
                profile = profile with { Orphans = orphans };
                if (trouble is not null)
                {
                    findings.Add(new Finding(Severity.Warning, "not-scanned", $"Orphans of foreign key {key.Name} of {name.Child} were not counted: {trouble}", "Run the audit again with a longer --limit, or at a quieter hour") { Table = name.Child });
                }
                else if (orphans > 0)
                {
                    findings.Add(new Finding(Severity.Warning, "orphans", string.Create(CultureInfo.InvariantCulture, $"{orphans:N0} rows of {name.Child} refer by {key.Name} to rows {name.Parent} does not have{(percent < 100 ? " (in a sample)" : "")}"),
                        "Mend them in the source: the target takes them while changes are applied, and ADD CONSTRAINT fails there later")
                    { Table = name.Child });
                }
            }

            profiles.Add(profile);
        }

        return (profiles, findings);
    }

    private static async Task<IReadOnlyList<Key>> ReadKeysAsync(NpgsqlDataSource database, IEnumerable<TableName> tables, CancellationToken cancellationToken)
    {
        var names = tables.ToList();
        await using var command = database.CreateCommand(Keys);
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Schema).ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = names.Select(name => name.Name).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var keys = new List<Key>();
        while (await reader.ReadAsync(cancellationToken))
        {
            keys.Add(new Key(
                reader.GetString(0), new TableName(reader.GetString(1), reader.GetString(2)), new TableName(reader.GetString(3), reader.GetString(4)), reader.GetChar(5), reader.GetChar(6) == 'f',
                reader.GetFieldValue<string[]>(7), reader.GetFieldValue<string[]>(8)));
        }

        return keys;
    }

    /// <summary>MATCH SIMPLE asks of rows without any NULL in the key; MATCH FULL of rows that are not NULL in all of it.</summary>
    private static async Task<(long? Orphans, string? Trouble)> CountAsync(NpgsqlDataSource database, Key key, double percent, TimeSpan limit, CancellationToken cancellationToken)
    {
        var pairs = key.Columns.Zip(key.Referenced, (child, parent) => (Child: $"c.{TableName.Quote(child)}", Parent: $"p.{TableName.Quote(parent)}")).ToList();
        var asked = string.Join(key.IsFull ? " or " : " and ", pairs.Select(pair => $"{pair.Child} is not null"));
        var sample = percent < 100 ? string.Create(CultureInfo.InvariantCulture, $" tablesample system ({percent}) repeatable (1)") : "";
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var command = new NpgsqlCommand($"""
                set local statement_timeout = {(long)Math.Max(1, limit.TotalMilliseconds)};
                select count(*) from {key.Child.Sql} c{sample} where ({asked})
                    and not exists (select from {key.Parent.Sql} p where {string.Join(" and ", pairs.Select(pair => $"{pair.Parent} operator(pg_catalog.=) {pair.Child}"))})
                """, connection);
            return ((long)(await command.ExecuteScalarAsync(cancellationToken))!, null);
        }
        catch (PostgresException exception) when (!exception.IsTransient || exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled)
        {
            return (null, exception.SqlState == PostgresErrorCodes.QueryCanceled ? "it took too long" : exception.MessageText);
        }
    }

    private static string Action(char code) => code switch
    {
        'c' => "cascade",
        'n' => "set null",
        'd' => "set default",
        'r' => "restrict",
        _ => "no action",
    };
}
