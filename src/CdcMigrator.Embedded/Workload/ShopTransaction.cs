using Npgsql;

namespace CdcMigrator.Embedded.Workload;

/// <summary>One open transaction of a writer: its statements, the rows it touches, and what the model learns if it commits.</summary>
internal sealed class ShopTransaction(NpgsqlConnection connection)
{
    /// <summary>Every row of the given keys, and of the given orders all items, with the digest of its text.</summary>
    internal const string ReadRows = """
        select 'products', id::text, md5(t::text) from public.products t where id = any($1)
        union all select 'customers', id::text, md5(t::text) from public.customers t where id = any($2)
        union all select 'orders', id::text, md5(t::text) from public.orders t where id = any($3)
        union all select 'order_items', order_id || '/' || line, md5(t::text) from public.order_items t where order_id = any($3)
        """;

    private readonly HashSet<int> products = [];
    private readonly HashSet<long> customers = [];
    private readonly HashSet<long> orders = [];
    private readonly HashSet<RowKey> touched = [];
    private readonly List<Action> afterCommit = [];

    public string What { get; set; } = "";

    public async Task<T?> RunAsync<T>(string sql, params object?[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter ?? DBNull.Value });
        }

        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public Task RunAsync(string sql, params object?[] parameters) => RunAsync<object>(sql, parameters);

    public void TouchProduct(int id) => Touch("products", products.Add(id), $"{id}");

    public void TouchCustomer(long id) => Touch("customers", customers.Add(id), $"{id}");

    /// <summary>Touches an order and its lines; <paramref name="lines"/> names those that may be gone afterwards.</summary>
    public void TouchOrder(long id, params IEnumerable<int> lines)
    {
        Touch("orders", orders.Add(id), $"{id}");
        foreach (var line in lines)
        {
            touched.Add(new RowKey("order_items", $"{id}/{line}"));
        }
    }

    public void OnCommit(Action learn) => afterCommit.Add(learn);

    /// <summary>Writes the receipt and reads every touched row as this transaction leaves it; those not found will be absent.</summary>
    public async Task<IReadOnlyList<RowState>> FinishAsync(Guid receipt, int writer, long sequence)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("insert into public.receipts(id, writer, seq, what) values ($1, $2, $3, $4)")
                {
                    Parameters = { new() { Value = receipt }, new() { Value = writer }, new() { Value = sequence }, new() { Value = What } },
                },
                new NpgsqlBatchCommand(ReadRows)
                {
                    Parameters = { new() { Value = products.ToArray() }, new() { Value = customers.ToArray() }, new() { Value = orders.ToArray() } },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync();
        var rows = new List<RowState>();
        while (await reader.ReadAsync())
        {
            rows.Add(new RowState(new RowKey(reader.GetString(0), reader.GetString(1)), reader.GetString(2)));
        }

        touched.ExceptWith(rows.Select(row => row.Row));
        rows.AddRange(touched.Select(row => new RowState(row, null)));
        return rows;
    }

    /// <summary>The transaction is known to have committed.</summary>
    public void Learn() => afterCommit.ForEach(learn => learn());

    private void Touch(string table, bool added, string key)
    {
        if (added)
        {
            touched.Add(new RowKey(table, key));
        }
    }
}
