namespace CdcMigrator.Domain.Comparing;

/// <summary>Where rows are hashed.</summary>
public enum HashPlace
{
    /// <summary>In the databases, by the same PostgreSQL function: nothing but sums travels.</summary>
    Database,

    /// <summary>Here, from canonical rows both engines can give.</summary>
    Here,
}
