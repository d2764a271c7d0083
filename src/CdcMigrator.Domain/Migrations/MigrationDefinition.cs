using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Domain.Migrations;

/// <summary>One migration file, validated, with secrets resolved. Immutable.</summary>
public sealed record MigrationDefinition
{
    /// <summary>Name: letters, digits, <c>-</c> and <c>_</c>, at most 40.</summary>
    public required string Name { get; init; }

    /// <summary>The database that is left.</summary>
    public required SourceSection Source { get; init; }

    /// <summary>The PostgreSQL that is moved to.</summary>
    public required TargetSection Target { get; init; }

    /// <summary>Where changes travel.</summary>
    public required LogSection Log { get; init; }

    /// <summary>Kafka Connect, if its connector is to be checked or registered.</summary>
    public ConnectSection? Connect { get; init; }

    /// <summary>Tables moved.</summary>
    public required IReadOnlyList<TableMapping> Tables { get; init; }

    /// <summary>Paired business checks.</summary>
    public IReadOnlyList<BusinessRule> Rules { get; init; } = [];

    /// <summary>Queries of the application whose speed the target must have.</summary>
    public IReadOnlyList<Benchmark> Benchmarks { get; init; } = [];

    /// <summary>How changes are applied.</summary>
    public ApplySection Apply { get; init; } = new();

    /// <summary>How both sides are compared.</summary>
    public VerifySection Verify { get; init; } = new();

    /// <summary>Limits of the cutover.</summary>
    public CutoverSection Cutover { get; init; } = new();

    /// <summary>The service's HTTP endpoint.</summary>
    public ServiceSection Service { get; init; } = new();
}
