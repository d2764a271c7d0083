namespace CdcMigrator.Domain.Migrations;

/// <summary>A pair of queries whose single values must agree on both sides.</summary>
/// <param name="Name">Name in reports.</param>
/// <param name="Source">SQL for the source.</param>
/// <param name="Target">SQL for the target.</param>
/// <param name="Tolerance">Largest allowed absolute difference.</param>
public sealed record BusinessRule(string Name, string Source, string Target, decimal Tolerance)
{
    /// <summary>The same rule the other way.</summary>
    public BusinessRule TurnedRound() => this with { Source = Target, Target = Source };
}
