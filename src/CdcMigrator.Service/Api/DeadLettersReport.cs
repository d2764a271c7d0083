namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>GET /api/dlq</c> and of <c>cdcm dlq list -o json</c>.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="Total">Dead letters of the migration.</param>
/// <param name="Tables">How many each table has, by name; tables without any are left out.</param>
/// <param name="DeadLetters">Those asked for, oldest first.</param>
/// <param name="Truncated">More fit the question than are listed.</param>
public sealed record DeadLettersReport(
    string Migration, long Total, IReadOnlyDictionary<string, long> Tables, IReadOnlyList<DeadLetterReport> DeadLetters, bool Truncated);
