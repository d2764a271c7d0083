using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Whether an application's role can write.</summary>
/// <param name="Role">The role.</param>
/// <param name="Outcome">What became of its writes.</param>
/// <param name="Message">The tables concerned, or why nothing is known.</param>
/// <param name="Fix">What makes it known; empty where it is.</param>
public sealed record WriteProbe(string Role, ProbeOutcome Outcome, string Message, string Fix = "")
{
    private const int Shown = 5;

    /// <summary>
    /// A statement that names no row fires statement triggers as any other, and leaves nothing. Each table in a subtransaction, so that one refusal leaves the others their turn; the answer travels in a
    /// setting of the transaction. A table that is locked is not waited for: nothing is known of it.
    /// </summary>
    internal static async Task<WriteProbe> RunAsync(
        NpgsqlConnection connection, string role, IReadOnlyList<FencedRelation> all, TimeSpan lockTimeout, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await ExecuteAsync(connection, $"set local lock_timeout = {(long)lockTimeout.TotalMilliseconds}; set local search_path = default; set local role {TableName.Quote(role)}", cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.UndefinedObject)
        {
            var current = new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username;
            return new WriteProbe(role, ProbeOutcome.Unknown, $"Role {role} cannot be taken: {exception.MessageText}",
                exception.SqlState == PostgresErrorCodes.InsufficientPrivilege ? $"GRANT {TableName.Quote(role)} TO {TableName.Quote(current ?? "")}" : "Correct 'cutover.appRoles' in the migration file");
        }

        await ExecuteAsync(connection, $$"""
            do $probe$
            declare
                t oid; name text; write text; passed text[] := '{}'; other text[] := '{}'; denied int := 0;
            begin
                foreach t in array array[{{string.Join(", ", all.Select(relation => relation.Oid))}}]::oid[] loop
                    select pg_catalog.format('%I.%I', n.nspname, c.relname) into strict name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = t;
                    write := case
                        when pg_catalog.has_table_privilege(t, 'DELETE') then pg_catalog.format('delete from %s where false', name)
                        else coalesce((
                            select pg_catalog.format('update %s set %I = default where false', name, attname) from pg_catalog.pg_attribute
                            where attrelid = t and attnum > 0 and not attisdropped and pg_catalog.has_column_privilege(t, attnum, 'UPDATE') order by attnum limit 1), (
                            select pg_catalog.format('insert into %s (%I) select null where false', name, attname) from pg_catalog.pg_attribute
                            where attrelid = t and attnum > 0 and not attisdropped and attidentity = '' and attgenerated = '' and pg_catalog.has_column_privilege(t, attnum, 'INSERT') order by attnum limit 1)) end;
                    continue when write is null;
                    begin
                        execute write;
                        passed := passed || name;
                    exception
                        when read_only_sql_transaction then denied := denied + 1;
                        when others then other := other || (name || ': ' || sqlerrm);
                    end;
                end loop;
                perform pg_catalog.set_config('cdc_migrator.probe', pg_catalog.json_build_object('passed', passed, 'denied', denied, 'other', other)::text, true);
            end $probe$
            """, cancellationToken);
        await using var command = new NpgsqlCommand("""
            with answer as (select pg_catalog.current_setting('cdc_migrator.probe')::json as a)
            select array(select json_array_elements_text(a -> 'passed')), (a ->> 'denied')::int, array(select json_array_elements_text(a -> 'other')) from answer
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (passed, denied, other) = (reader.GetFieldValue<string[]>(0), reader.GetInt32(1), reader.GetFieldValue<string[]>(2));
        return passed.Length > 0 ? new WriteProbe(role, ProbeOutcome.Passed, $"Role {role} can write {List(passed)}")
            : other.Length > 0 ? new WriteProbe(role, ProbeOutcome.Unknown, $"What role {role} can write is not known of {List(other)}", "Try again")
            : denied == 0 ? new WriteProbe(role, ProbeOutcome.Unknown, $"Role {role} may write none of the tables", "Name the roles applications write with in 'cutover.appRoles' of the migration file")
            : new WriteProbe(role, ProbeOutcome.Denied, $"Role {role} is denied by {denied} tables");
    }

    private static string List(string[] names) => string.Join(", ", names.Take(Shown)) + (names.Length > Shown ? $" and {names.Length - Shown} more" : "");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
