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

    /// <summary>Which way this definition reads; a migration file reads forward.</summary>
    public MigrationDirection Direction { get; init; }

    /// <summary>
    /// The name slots, publications, connectors and groups are made of: both directions may meet on one server or broker. Rows of the control schema go by
    /// <see cref="Name"/>, for each direction keeps its own in the database it writes to.
    /// </summary>
    public string LogName => Direction == MigrationDirection.Back ? $"{Name}_back" : Name;

    /// <summary>The same migration the other way: what was the target is read, and what was the source is written.</summary>
    /// <exception cref="InvalidOperationException">The source is no PostgreSQL, or this is the way back already.</exception>
    public MigrationDefinition TurnedRound()
    {
        if (Source.Kind != SourceKind.PostgreSql || Direction == MigrationDirection.Back)
        {
            throw new InvalidOperationException($"There is no way back from {Name}: its source is {Source.Kind}, its direction {Direction}");
        }

        return this with
        {
            Direction = MigrationDirection.Back,
            Source = new SourceSection(SourceKind.PostgreSql, Target.Connection),
            Target = new TargetSection(Source.Connection),
            Log = Log with { TopicPrefix = $"{Log.TopicPrefix}-back", Group = Log.Group.Length > 0 ? $"{Log.Group}-back" : "" },
            Connect = Connect is { } connect ? connect with { Connector = $"{connect.Connector}-back" } : null,
            Tables = [.. Tables.Select(table => table.TurnedRound())],
            Rules = [.. Rules.Select(rule => rule.TurnedRound())],
            Benchmarks = [],
        };
    }
}
