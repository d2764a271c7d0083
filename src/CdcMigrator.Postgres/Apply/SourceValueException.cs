using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Postgres.Apply;

/// <summary>A row was found in the source, with a value that the target's column cannot hold. Whoever asked for the row names its change.</summary>
/// <param name="key">The row's key as it was asked for.</param>
/// <param name="fault">What is wrong with the value.</param>
public sealed class SourceValueException(IReadOnlyList<string> key, Fault fault) : Exception(fault?.ToString())
{
    /// <summary>The row's key as it was asked for.</summary>
    public IReadOnlyList<string> Key => key;

    /// <summary>What is wrong with the value.</summary>
    public Fault Fault => fault;
}
