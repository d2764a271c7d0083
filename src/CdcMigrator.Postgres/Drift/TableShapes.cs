using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Drift;

/// <summary>Reads shapes from a PostgreSQL catalog (version 12 or newer), in one snapshot.</summary>
internal static class TableShapes
{
    private const string Query = """
        select n.nspname::text, c.relname::text, c.oid, a.attnum, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
            exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey::int2[])),
            a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '', a.attidentity <> '', a.atthasmissing
        from unnest($1::text[], $2::text[], $3::oid[]) as w(s, r, o)
        join pg_catalog.pg_class c on c.relkind in ('r', 'p')
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace and ((n.nspname = w.s and c.relname = w.r) or c.oid = w.o)
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        order by c.oid, a.attnum
        """;

    /// <summary>The tables of these names, and whatever has one of these oids now, by the name it has now.</summary>
    public static async Task<IReadOnlyDictionary<TableName, TableShape>> ReadAsync(
        NpgsqlDataSource database, IReadOnlyCollection<(TableName Name, uint Oid)> wanted, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var path = new NpgsqlCommand("set local search_path = ''", connection))
        {
            await path.ExecuteNonQueryAsync(cancellationToken);
        }

        var found = new Dictionary<TableName, Dictionary<short, ShapeColumn>>();
        var oids = new Dictionary<TableName, uint>();
        await using (var command = new NpgsqlCommand(Query, connection))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = wanted.Select(table => table.Name.Schema).ToArray() });
            command.Parameters.Add(new NpgsqlParameter { Value = wanted.Select(table => table.Name.Name).ToArray() });
            command.Parameters.Add(new NpgsqlParameter { Value = wanted.Select(table => table.Oid).ToArray(), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Oid });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var name = new TableName(reader.GetString(0), reader.GetString(1));
                oids[name] = reader.GetFieldValue<uint>(2);
                if (!found.TryGetValue(name, out var columns))
                {
                    found[name] = columns = [];
                }

                // A table that is wanted by name and by oid comes twice.
                columns[reader.GetInt16(3)] = new ShapeColumn(reader.GetInt16(3), reader.GetString(4), reader.GetString(5), reader.GetBoolean(6))
                {
                    NotNull = reader.GetBoolean(7),
                    Default = await reader.IsDBNullAsync(8, cancellationToken) ? null : reader.GetString(8),
                    Generated = reader.GetBoolean(9),
                    Identity = reader.GetBoolean(10),
                    FilledByCatalog = reader.GetBoolean(11),
                };
            }
        }

        await transaction.CommitAsync(cancellationToken);
        return found.ToDictionary(table => table.Key, table => new TableShape(oids[table.Key], [.. table.Value.Values.OrderBy(column => column.Number)]));
    }
}
