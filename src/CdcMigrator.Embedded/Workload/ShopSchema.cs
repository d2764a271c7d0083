using System.Reflection;
using CdcMigrator.Domain.Tables;
using Npgsql;

namespace CdcMigrator.Embedded.Workload;

/// <summary>
/// The shop of the demo and the tests: what migrations trip over in one small schema. Foreign keys (one cascading on update), unique
/// e-mail and sku, identities of both kinds, an enum, jsonb, text arrays, numeric, timestamptz, a generated column and TOASTed text.
/// </summary>
public static class ShopSchema
{
    /// <summary>DDL for source and target alike; of one server version or several.</summary>
    public static string Sql { get; } = ReadResource("shop.sql");

    /// <summary>All tables, those referenced before those that refer to them.</summary>
    public static IReadOnlyList<TableName> Tables { get; } =
        [new("public", "products"), new("public", "customers"), new("public", "orders"), new("public", "order_items"), new("public", "receipts")];

    /// <summary>
    /// Fills an empty shop with about this many rows over products, customers, orders and order items. The same number gives the
    /// same rows but for times.
    /// </summary>
    /// <param name="connectionString">A database with <see cref="Sql"/> in it.</param>
    /// <param name="rows">Rows wanted, at least 100.</param>
    /// <param name="cancellationToken">Stops the statement; nothing is loaded then.</param>
    public static async Task LoadAsync(string connectionString, long rows, CancellationToken cancellationToken)
    {
        // Of ten rows: one product at most, two customers, three orders, four items (two for every third order).
        var wanted = Math.Max(rows, 100);
        var products = Math.Clamp(wanted / 20, 10, 2000);
        var customers = Math.Max(10, (wanted - products) * 3 / 10);
        var orders = Math.Max(10, (wanted - products - customers) * 3 / 7);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 });
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var statement in ReadResource("shop-seed.sql").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var command = new NpgsqlBatchCommand(statement);
            if (statement.Contains("$1", StringComparison.Ordinal))
            {
                foreach (var value in new[] { products, customers, orders })
                {
                    command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = value });
                }
            }

            batch.BatchCommands.Add(command);
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static string ReadResource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"CdcMigrator.Embedded.Workload.{name}")
            ?? throw new InvalidOperationException($"{name} is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
