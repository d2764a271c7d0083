using System.Runtime.CompilerServices;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Apply;

/// <summary>Plans by route. A route is replaced when the schema changes, so a plan lives as long as its route. Thread-safe.</summary>
internal sealed class RoutePlans
{
    private const string Keys = """
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

    private readonly ConditionalWeakTable<TableRoute, RoutePlan> plans = [];

    public async ValueTask<RoutePlan> GetAsync(NpgsqlConnection connection, TableRoute route, CancellationToken cancellationToken)
    {
        if (plans.TryGetValue(route, out var plan))
        {
            return plan;
        }

        await using var command = new NpgsqlCommand(Keys, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = route.Target.Name.Sql });
        command.Parameters.Add(new NpgsqlParameter { Value = route.Key.Name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var keys = new List<KeyColumn>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var ordinal = route.Target.IndexOf(reader.GetString(0));
            if (ordinal >= 0)
            {
                var type = route.Target.Columns[ordinal].Type;
                keys.Add(new KeyColumn(ordinal, TableName.Quote(reader.GetString(0)), type.Sql, reader.GetString(1), reader.GetString(2),
                    type.Element is null && KeyColumn.HasOneText(type.BaseName, reader.GetBoolean(3))));
            }
        }

        if (keys.Count != route.Key.Columns.Count)
        {
            throw new FaultException(FaultKind.Configuration, "schema-changed",
                $"Unique index {route.Key.Name} of {route.Target.Name} is not the one the target had when the migration read its schema",
                "Restore the key, or restart the service to read the schema anew");
        }

        plan = new RoutePlan(route, keys);
        plans.AddOrUpdate(route, plan);
        return plan;
    }
}
