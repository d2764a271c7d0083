namespace CdcMigrator.Embedded.Workload;

/// <summary>What a writer knows of the rows it owns: enough to choose its next operation. Changed only when a transaction is known to have committed.</summary>
internal sealed class ShopModel(int writer)
{
    /// <summary>Ids from here on belong to the first writer's new customers; below are loaded ones.</summary>
    public const long FirstNewId = 1_000_000_000;

    private long lastId = FirstNewId * (writer + 1);

    public int Writer => writer;

    public List<Customer> Customers { get; } = [];

    /// <summary>Products this writer may change.</summary>
    public List<int> OwnProducts { get; } = [];

    /// <summary>Products anyone may order.</summary>
    public int[] AllProducts { get; set; } = [];

    public long NextId() => ++lastId;

    public void StartIdsAbove(long id) => lastId = Math.Max(lastId, id);

    internal sealed class Customer(long id, string email)
    {
        public long Id { get; set; } = id;

        public string Email { get; set; } = email;

        public List<Order> Orders { get; } = [];
    }

    internal sealed class Order(long id)
    {
        public long Id { get; } = id;

        public List<int> Lines { get; } = [];
    }
}
