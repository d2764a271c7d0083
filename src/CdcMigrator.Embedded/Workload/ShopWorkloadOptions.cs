namespace CdcMigrator.Embedded.Workload;

/// <summary>How the workload writes.</summary>
public sealed record ShopWorkloadOptions
{
    /// <summary>Writers, each with a connection and rows of its own.</summary>
    public int Writers { get; init; } = 6;

    /// <summary>Transactions a second, all writers together; 0 writes as fast as it goes.</summary>
    public double Rate { get; init; } = 200;

    /// <summary>Start of the random choices; the same start makes each writer choose the same operations in the same order.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Customers loaded before the workload that each writer takes over, with their orders.</summary>
    public int AdoptedCustomers { get; init; } = 200;

    /// <summary>Clock of pace and outage.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
