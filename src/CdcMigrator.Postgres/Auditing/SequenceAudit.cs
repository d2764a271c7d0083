using System.Globalization;
using CdcMigrator.Domain.Auditing;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>Sequences: how much of their range is left, and whether they lag behind their column.</summary>
internal static class SequenceAudit
{
    private const double NearlyUsedUp = 75;

    private const string Query = """
        select s.schemaname::text, s.sequencename::text, s.last_value::numeric, s.increment_by > 0,
            (case when s.increment_by > 0 then s.min_value else s.max_value end)::numeric,
            (case when s.increment_by > 0 then least(s.max_value, case o.atttypid when 21 then 32767 when 23 then 2147483647 else 9223372036854775807 end)
                else greatest(s.min_value, case o.atttypid when 21 then -32768 when 23 then -2147483648 else -9223372036854775808 end) end)::numeric,
            o.nspname::text, o.relname::text, o.attname::text, s.cycle
        from pg_catalog.pg_sequences s
        left join lateral (
            select n.nspname, t.relname, a.attname, a.atttypid from pg_catalog.pg_class c join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')
            join pg_catalog.pg_class t on t.oid = d.refobjid join pg_catalog.pg_namespace n on n.oid = t.relnamespace
            join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
            where cn.nspname = s.schemaname and c.relname = s.sequencename and c.relkind = 'S' limit 1) o on true
        where s.schemaname = any($1) order by 1, 2
        """;

    public static async Task<(IReadOnlyList<SequenceProfile> Sequences, IReadOnlyList<Finding> Findings)> ReadAsync(
        NpgsqlDataSource database, IReadOnlyList<TableProfile> tables, IReadOnlyCollection<string> schemas, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Query);
        command.Parameters.Add(new NpgsqlParameter { Value = schemas.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var sequences = new List<SequenceProfile>();
        var findings = new List<Finding>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var name = new TableName(reader.GetString(0), reader.GetString(1));
            var (last, grows, first, limit) = (reader.IsDBNull(2) ? (decimal?)null : reader.GetDecimal(2), reader.GetBoolean(3), reader.GetDecimal(4), reader.GetDecimal(5));
            var used = last is { } value && limit != first ? Math.Round((double)((value - first) / (limit - first)) * 100, 2) : 0;
            sequences.Add(new SequenceProfile(name.ToString(), last, limit, used));
            var owner = reader.IsDBNull(6) ? null : new TableName(reader.GetString(6), reader.GetString(7)).ToString();
            var column = reader.IsDBNull(8) ? null : reader.GetString(8);
            if (used >= NearlyUsedUp && !reader.GetBoolean(9))
            {
                findings.Add(new Finding(Severity.Warning, "sequence-headroom", string.Create(CultureInfo.InvariantCulture, $"Sequence {name} has used {used:0.#} % of its range: {last} of {limit}"),
                    column is null ? "Widen it" : $"Make column {column} bigint in the target, and the sequence AS bigint")
                { Table = owner, Column = column });
            }

            var greatest = tables.FirstOrDefault(table => table.Table == owner)?.Columns.FirstOrDefault(profile => profile.Name == column)?.Max;
            if (grows && decimal.TryParse(greatest, NumberStyles.Number, CultureInfo.InvariantCulture, out var held) && held > (last ?? first - 1))
            {
                findings.Add(new Finding(Severity.Warning, "sequence-behind", string.Create(CultureInfo.InvariantCulture, $"Sequence {name} is at {last?.ToString(CultureInfo.InvariantCulture) ?? "its start"}, and its column {column} of {owner} holds {held}: the next value may be taken"),
                    "SELECT setval(…, max) in the source, unless the application chooses the values")
                { Table = owner, Column = column });
            }
        }

        return (sequences, findings);
    }
}
