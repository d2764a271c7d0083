using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Checking;

/// <summary>Looks for rows that break constraints of a PostgreSQL target.</summary>
/// <param name="target">Sessions of <see cref="Connections.PostgresConnections.CreateVerify"/> on the target.</param>
public sealed class TargetConstraints(NpgsqlDataSource target) : ITargetConstraints
{
    /// <inheritdoc />
    public async Task<IReadOnlyList<ConstraintFact>> ScanAsync(IReadOnlyList<ComparedTable> tables, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tables);
        try
        {
            await using var connection = await target.OpenConnectionAsync(cancellationToken);
            var facts = new List<ConstraintFact>();
            foreach (var constraint in await ConstraintCatalog.ReadAsync(connection, [.. tables.Select(table => table.Target)], cancellationToken))
            {
                // The planner's own choice: all rows are read, by whatever is cheapest.
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await using (var plans = new NpgsqlCommand("set local enable_seqscan to default", connection))
                {
                    await plans.ExecuteNonQueryAsync(cancellationToken);
                }

                facts.Add(await FindAsync(connection, constraint, tables, null, cancellationToken));
            }

            return facts;
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <inheritdoc />
    public async Task<ConstraintFact> LookAgainAsync(ConstraintFact found, IReadOnlyList<ComparedTable> tables, ITargetSnapshot target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(tables);
        var connection = ((TargetSnapshot)target).Session;
        var table = tables.First(table => table.Source == found.Table);
        try
        {
            var constraint = (await ConstraintCatalog.ReadAsync(connection, [table.Target], cancellationToken)).FirstOrDefault(constraint => constraint.Name == found.Name);
            if (constraint is null)
            {
                return found with { Violations = [], HasMore = false };
            }

            var keys = found.Violations.Select(violation => violation.Key).OfType<RowKey>().Distinct().ToList();
            var again = await FindAsync(connection, constraint, tables, keys, cancellationToken);
            return again.Fault is { } fault ? throw new FaultException(FaultKind.Transient, "constraint-unreadable", fault, "It is checked again") : again with { HasMore = again.HasMore || found.HasMore };
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    private static async Task<ConstraintFact> FindAsync(
        NpgsqlConnection connection, ConstraintCatalog constraint, IReadOnlyList<ComparedTable> tables, IReadOnlyList<RowKey>? keys, CancellationToken cancellationToken)
    {
        var table = tables.First(table => table.Target == constraint.Table);
        var parent = tables.FirstOrDefault(table => table.Target == constraint.Parent);
        var sql = new ViolationSql(constraint, table, parent);
        var fact = new ConstraintFact(constraint.Name, constraint.Kind, table.Source) { Parent = parent?.Source, TellsParent = sql.TellsParent, IsValidated = constraint.IsValidated };
        try
        {
            await using var command = new NpgsqlCommand { Connection = connection, AllResultTypesAreUnknown = true };
            command.CommandText = sql.Text(keys, command.Parameters);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var violations = new List<Violation>();
            while (await reader.ReadAsync(cancellationToken))
            {
                violations.Add(new Violation(
                    sql.KeyColumns == 0 ? null : KeyOf(reader, 0, sql.KeyColumns), sql.TellsParent ? KeyOf(reader, sql.KeyColumns, reader.FieldCount) : null));
            }

            return fact with { Violations = [.. violations.Take(ConstraintFact.MostViolations)], HasMore = violations.Count > ConstraintFact.MostViolations };
        }
        catch (PostgresException exception) when (exception.SqlState.StartsWith("42", StringComparison.Ordinal))
        {
            return fact with { Fault = $"{constraint.Name} of {constraint.Table} cannot be checked: {exception.SqlState}: {exception.MessageText}" };
        }
    }

    /// <summary>A NULL in a key that is referred to stands for no row.</summary>
    private static RowKey? KeyOf(NpgsqlDataReader reader, int from, int to)
    {
        var values = new string[to - from];
        for (var i = from; i < to; i++)
        {
            if (reader.IsDBNull(i))
            {
                return null;
            }

            values[i - from] = reader.GetString(i);
        }

        return new RowKey(values);
    }
}
