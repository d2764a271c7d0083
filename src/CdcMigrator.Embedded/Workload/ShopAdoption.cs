using Npgsql;

namespace CdcMigrator.Embedded.Workload;

/// <summary>Hands a writer the loaded rows it owns from now on: customers and products whose id leaves its number as remainder.</summary>
internal static class ShopAdoption
{
    /// <summary>Fills the model and tells the ledger. May be repeated: the model is filled only when all was read.</summary>
    public static async Task AdoptAsync(
        NpgsqlConnection connection, ShopModel model, WriteLedger ledger, ShopWorkloadOptions options, CancellationToken cancellationToken)
    {
        var customers = await ReadAsync(connection, "select id, email from public.customers where id < $1 and id % $2 = $3 order by id limit $4",
            reader => new ShopModel.Customer(reader.GetInt64(0), reader.GetString(1)), cancellationToken,
            ShopModel.FirstNewId, (long)options.Writers, (long)model.Writer, (long)options.AdoptedCustomers);
        var byId = customers.ToDictionary(customer => customer.Id);
        var orders = await ReadAsync(connection, "select customer_id, id from public.orders where customer_id = any($1) order by id",
            reader => (Customer: reader.GetInt64(0), Order: new ShopModel.Order(reader.GetInt64(1))), cancellationToken, byId.Keys.ToArray());
        var orderById = orders.ToDictionary(pair => pair.Order.Id, pair => pair.Order);
        orders.ForEach(pair => byId[pair.Customer].Orders.Add(pair.Order));
        foreach (var (order, line) in await ReadAsync(connection, "select order_id, line from public.order_items where order_id = any($1) order by 1, 2",
            reader => (reader.GetInt64(0), reader.GetInt32(1)), cancellationToken, orderById.Keys.ToArray()))
        {
            orderById[order].Lines.Add(line);
        }

        var products = await ReadAsync(connection, "select id from public.products order by id", reader => reader.GetInt32(0), cancellationToken);
        var own = products.Where(id => id % options.Writers == model.Writer).ToList();
        var lastId = await ReadAsync(connection, "select coalesce(max(id), 0) from public.customers where id between $1 and $2",
            reader => reader.GetInt64(0), cancellationToken, ShopModel.FirstNewId * (model.Writer + 1), (ShopModel.FirstNewId * (model.Writer + 2)) - 1);
        var states = await ReadAsync(connection, ShopTransaction.ReadRows,
            reader => new RowState(new RowKey(reader.GetString(0), reader.GetString(1)), reader.GetString(2)), cancellationToken,
            own.ToArray(), byId.Keys.ToArray(), orderById.Keys.ToArray());

        states.ForEach(ledger.Adopt);
        model.Customers.AddRange(customers);
        model.AllProducts = [.. products];
        model.OwnProducts.AddRange(own);
        model.StartIdsAbove(lastId[0]);
    }

    private static async Task<List<T>> ReadAsync<T>(
        NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(read(reader));
        }

        return items;
    }
}
