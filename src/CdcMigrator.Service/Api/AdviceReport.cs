using CdcMigrator.Cutover.Advising;

namespace CdcMigrator.Service.Api;

/// <summary>What is to be done with a migration, and why: the body of <c>/api/advice</c>.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="Standing">Where it is between its two sides.</param>
/// <param name="Advice">What is to be done.</param>
/// <param name="Rules">Every rule that applies; the first one decided.</param>
/// <param name="NotKnown">What could not be asked.</param>
public sealed record AdviceReport(string Migration, Standing Standing, AdviceKind Advice, IReadOnlyList<AdviceRule> Rules, IReadOnlyList<string> NotKnown);
