namespace CdcMigrator.Embedded.Workload;

/// <summary>What a writer does to its rows, chosen at random with fixed weights.</summary>
internal sealed class ShopOperations
{
    private static readonly string[] Statuses = ["new", "paid", "shipped", "cancelled"];
    private static readonly string[] Labels = ["gift", "ä, \"ö\""];
    private static readonly string[] Nicknames = ["a\tb", "c\nd", "{,}"];

    private readonly ShopModel model;
    private readonly Random random;
    private readonly (int Weight, string Name, Func<ShopTransaction, Task> Run)[] all;
    private readonly int totalWeight;

    public ShopOperations(ShopModel model, Random random)
    {
        this.model = model;
        this.random = random;
        all =
        [
            (30, "place order", PlaceOrderAsync), (20, "update order", UpdateOrderAsync), (5, "rewrite note", RewriteNoteAsync),
            (10, "update customer", UpdateCustomerAsync), (8, "new customer", NewCustomerAsync), (6, "hand e-mail over", HandEmailOverAsync),
            (6, "delete order", DeleteOrderAsync), (3, "replace customer", ReplaceCustomerAsync), (4, "change customer key", ChangeCustomerKeyAsync),
            (4, "change line key", ChangeLineKeyAsync), (6, "update product", UpdateProductAsync), (3, "drop line", DropLineAsync),
        ];
        totalWeight = all.Sum(operation => operation.Weight);
    }

    /// <summary>Runs one operation's statements in the open transaction.</summary>
    public Task RunAsync(ShopTransaction transaction)
    {
        var draw = random.Next(totalWeight);
        var chosen = model.Customers.Count < 4 ? all.First(operation => operation.Name == "new customer") : all.First(operation => (draw -= operation.Weight) < 0);
        transaction.What = chosen.Name;
        return chosen.Run(transaction);
    }

    private async Task PlaceOrderAsync(ShopTransaction transaction)
    {
        // Referenced rows before those that refer to them, in every operation: writers do not wait for each other in a circle, nor with a fence.
        var customer = AnyCustomer();
        await transaction.RunAsync("update public.customers set credit = coalesce(credit, 0) + 1.005 where id = $1", customer.Id);
        transaction.TouchCustomer(customer.Id);
        var id = await transaction.RunAsync<long>(
            "insert into public.orders(customer_id, status, total, labels, details, note) values ($1, 'new', $2, $3, $4::jsonb, $5) returning id",
            customer.Id, random.Next(100_000) / 100m, Maybe(0.3, () => Labels), Maybe(0.5, Json), Maybe(0.1, LongText));
        var order = new ShopModel.Order(id);
        var lines = random.Next(1, 4);
        for (var line = 1; line <= lines; line++)
        {
            await InsertLineAsync(transaction, id, line);
            order.Lines.Add(line);
        }

        transaction.TouchOrder(id);
        transaction.OnCommit(() => customer.Orders.Add(order));
    }

    private async Task UpdateOrderAsync(ShopTransaction transaction)
    {
        if (AnyOrder() is not { Order: var order })
        {
            await PlaceOrderAsync(transaction);
            return;
        }

        // The note is left alone: where it is TOASTed the change does not carry it.
        await transaction.RunAsync(
            "update public.orders set status = $2::order_status, total = total + $3, labels = $4, shipped_at = clock_timestamp() where id = $1",
            order.Id, Statuses[random.Next(Statuses.Length)], random.Next(1000) / 100m, Maybe(0.5, () => new[] { "", "null", $"n{random.Next(100)}" }));
        transaction.TouchOrder(order.Id);
    }

    private async Task RewriteNoteAsync(ShopTransaction transaction)
    {
        if (AnyOrder() is not { Order: var order })
        {
            await PlaceOrderAsync(transaction);
            return;
        }

        await transaction.RunAsync("update public.orders set note = $2, details = $3::jsonb where id = $1", order.Id, Maybe(0.8, LongText), Maybe(0.5, Json));
        transaction.TouchOrder(order.Id);
    }

    private async Task UpdateCustomerAsync(ShopTransaction transaction)
    {
        var customer = AnyCustomer();
        await transaction.RunAsync("update public.customers set name = $2, preferences = $3::jsonb, nicknames = $4 where id = $1",
            customer.Id, $"Customer {random.Next(1_000_000)} \\ 'ß'", Maybe(0.7, Json), Maybe(0.5, () => new[] { $"nick{random.Next(9)}" }));
        transaction.TouchCustomer(customer.Id);
    }

    private async Task NewCustomerAsync(ShopTransaction transaction)
    {
        var id = model.NextId();
        var email = NewEmail(id);
        await InsertCustomerAsync(transaction, id, email);
        transaction.OnCommit(() => model.Customers.Add(new ShopModel.Customer(id, email)));
    }

    private async Task HandEmailOverAsync(ShopTransaction transaction)
    {
        var giver = AnyCustomer();
        var taker = AnyCustomer();
        if (giver == taker)
        {
            await UpdateCustomerAsync(transaction);
            return;
        }

        var (given, freed) = (giver.Email, taker.Email);
        var swap = random.Next(2) == 0;
        var between = NewEmail(model.NextId());
        await transaction.RunAsync("update public.customers set email = $2 where id = $1", giver.Id, between);
        await transaction.RunAsync("update public.customers set email = $2 where id = $1", taker.Id, given);
        if (swap)
        {
            await transaction.RunAsync("update public.customers set email = $2 where id = $1", giver.Id, freed);
        }

        transaction.TouchCustomer(giver.Id);
        transaction.TouchCustomer(taker.Id);
        transaction.OnCommit(() => (taker.Email, giver.Email) = (given, swap ? freed : between));
    }

    private async Task DeleteOrderAsync(ShopTransaction transaction)
    {
        if (AnyOrder() is not { Customer: var customer, Order: var order })
        {
            await PlaceOrderAsync(transaction);
            return;
        }

        await transaction.RunAsync("delete from public.orders where id = $1", order.Id);
        transaction.TouchOrder(order.Id, order.Lines);
        if (random.Next(2) == 0)
        {
            transaction.OnCommit(() => customer.Orders.Remove(order));
            return;
        }

        transaction.What = "delete and re-insert order";
        await transaction.RunAsync("insert into public.orders(id, customer_id, status, total) values ($1, $2, 'paid', $3)", order.Id, customer.Id, 1.10m);
        await InsertLineAsync(transaction, order.Id, 1);
        transaction.OnCommit(() =>
        {
            order.Lines.Clear();
            order.Lines.Add(1);
        });
    }

    private async Task ReplaceCustomerAsync(ShopTransaction transaction)
    {
        var customer = model.Customers.Find(candidate => candidate.Orders.Count == 0);
        if (customer is null)
        {
            await NewCustomerAsync(transaction);
            return;
        }

        // The e-mail goes on under another key: both rows meet in the unique index of the target.
        var id = model.NextId();
        await transaction.RunAsync("delete from public.customers where id = $1", customer.Id);
        transaction.TouchCustomer(customer.Id);
        await InsertCustomerAsync(transaction, id, customer.Email);
        transaction.OnCommit(() => customer.Id = id);
    }

    private async Task ChangeCustomerKeyAsync(ShopTransaction transaction)
    {
        var customer = AnyCustomer();
        var id = model.NextId();
        await transaction.RunAsync("update public.customers set id = $2 where id = $1", customer.Id, id);
        transaction.TouchCustomer(customer.Id);
        transaction.TouchCustomer(id);
        foreach (var order in customer.Orders)
        {
            transaction.TouchOrder(order.Id);
        }

        transaction.OnCommit(() => customer.Id = id);
    }

    private async Task ChangeLineKeyAsync(ShopTransaction transaction)
    {
        if (AnyOrder() is not { Order: { Lines.Count: > 0 } order })
        {
            await PlaceOrderAsync(transaction);
            return;
        }

        var line = order.Lines[random.Next(order.Lines.Count)];
        var other = order.Lines.Max() + 1;
        await transaction.RunAsync("update public.order_items set line = $3, quantity = quantity + 1 where order_id = $1 and line = $2", order.Id, line, other);
        transaction.TouchOrder(order.Id, line, other);
        transaction.OnCommit(() =>
        {
            order.Lines.Remove(line);
            order.Lines.Add(other);
        });
    }

    private async Task DropLineAsync(ShopTransaction transaction)
    {
        if (AnyOrder() is not { Order: { Lines.Count: > 0 } order })
        {
            await PlaceOrderAsync(transaction);
            return;
        }

        var line = order.Lines[^1];
        await transaction.RunAsync("delete from public.order_items where order_id = $1 and line = $2", order.Id, line);
        transaction.TouchOrder(order.Id, line);
        transaction.OnCommit(() => order.Lines.Remove(line));
    }

    private async Task UpdateProductAsync(ShopTransaction transaction)
    {
        if (model.OwnProducts.Count == 0)
        {
            await UpdateCustomerAsync(transaction);
            return;
        }

        var id = model.OwnProducts[random.Next(model.OwnProducts.Count)];
        await transaction.RunAsync("update public.products set price = $2, attributes = attributes || $3::jsonb, tags = $4 where id = $1",
            id, random.Next(100_000) / 100m, Json(), new[] { $"tag{random.Next(50)}", "{}" });
        if (random.Next(5) == 0)
        {
            await transaction.RunAsync("update public.products set description = $2 where id = $1", id, LongText());
        }

        transaction.TouchProduct(id);
    }

    private async Task InsertCustomerAsync(ShopTransaction transaction, long id, string email)
    {
        await transaction.RunAsync("insert into public.customers(id, email, name, preferences, nicknames, biography) values ($1, $2, $3, $4::jsonb, $5, $6)",
            id, email, $"Customer {id}", Maybe(0.5, Json), Maybe(0.3, () => Nicknames), Maybe(0.2, LongText));
        transaction.TouchCustomer(id);
    }

    private Task InsertLineAsync(ShopTransaction transaction, long order, int line)
    {
        transaction.TouchOrder(order, line);
        return transaction.RunAsync("insert into public.order_items(order_id, line, product_id, quantity, price) values ($1, $2, $3, $4, $5)",
            order, line, model.AllProducts[random.Next(model.AllProducts.Length)], random.Next(1, 9), random.Next(10_000) / 100m);
    }

    private ShopModel.Customer AnyCustomer() => model.Customers[random.Next(model.Customers.Count)];

    private (ShopModel.Customer Customer, ShopModel.Order Order)? AnyOrder()
    {
        // A few draws: customers without orders are common.
        var customer = AnyCustomer();
        for (var draw = 0; customer.Orders.Count == 0 && draw < 8; draw++)
        {
            customer = AnyCustomer();
        }

        return customer.Orders.Count == 0 ? null : (customer, customer.Orders[random.Next(customer.Orders.Count)]);
    }

    private string NewEmail(long id) => $"w{model.Writer}.{id}.{random.Next():x}@shop.example";

    private string Json() => $$"""{"n": {{random.Next(1000)}}.50, "s": "ä\"\\\u20ac", "deep": [null, true, {"k": {{random.Next(9)}}}]}""";

    private string LongText() => string.Create(random.Next(8_200, 12_000), random, static (span, random) => random.GetItems("abcdefghijklmnopqrstuvwxyz0123456789 \n\\".AsSpan(), span));

    private T? Maybe<T>(double chance, Func<T> make)
        where T : class => random.NextDouble() < chance ? make() : null;
}
