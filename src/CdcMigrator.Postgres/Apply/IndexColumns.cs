using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Reads the columns of a unique index of a route's target table.</summary>
internal static class IndexColumns
{
    private const string Sql = """
        select a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
            (select pg_catalog.format('operator(%I.%s)', n.nspname, o.oprname)
                from pg_catalog.pg_opclass c
                join pg_catalog.pg_amop m on m.amopfamily = c.opcfamily and m.amopstrategy = 3 and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
                join pg_catalog.pg_operator o on o.oid = m.amopopr join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
                where c.oid = k.opclass),
            coalesce((select l.collisdeterministic from pg_catalog.pg_collation l where l.oid = a.attcollation), true)
        from pg_catalog.pg_index i
        join pg_catalog.pg_class ic on ic.oid = i.indexrelid
        cross join unnest(i.indkey::int2[], i.indclass::oid[]) with ordinality as k(attnum, opclass, ord)
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where i.indrelid = pg_catalog.to_regclass($1) and ic.relname = $2 and k.ord <= i.indnkeyatts
        order by k.ord
        """;

    /// <summary>The columns in index order, with the index's own equality; those that are expressions are left out.</summary>
    public static async Task<IReadOnlyList<KeyColumn>> ReadAsync(NpgsqlConnection connection, TableRoute route, string index, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = route.Target.Name.Sql });
        command.Parameters.Add(new NpgsqlParameter { Value = index });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new List<KeyColumn>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var ordinal = route.Target.IndexOf(reader.GetString(0));
            if (ordinal >= 0)
            {
                var type = route.Target.Columns[ordinal].Type;
                columns.Add(new KeyColumn(ordinal, TableName.Quote(reader.GetString(0)), type.Sql, reader.GetString(1), reader.GetString(2),
                    type.Element is null && KeyColumn.HasOneText(type.BaseName, reader.GetBoolean(3))));
            }
        }

        return columns;
    }
}
