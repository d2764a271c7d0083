namespace CdcMigrator.Service.Api;

/// <summary>Body of <c>cdcm verify self-test -o json</c>.</summary>
/// <param name="Passed">Every seeded row was found, and no other was reported.</param>
/// <param name="SourceVersion">Version of the source's server.</param>
/// <param name="TargetVersion">Version of the target's server.</param>
/// <param name="Hashing">Where rows are hashed between these servers: <c>database</c> or <c>here</c>.</param>
/// <param name="Kinds">What was made wrong, kind by kind.</param>
/// <param name="EqualRows">The rows that were equal.</param>
public sealed record SelfTestReport(bool Passed, string SourceVersion, string TargetVersion, string Hashing, IReadOnlyList<SelfTestKind> Kinds, SelfTestControl EqualRows);
