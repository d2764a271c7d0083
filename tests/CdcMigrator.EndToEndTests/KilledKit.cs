using CdcMigrator.TestKit.Kit;

namespace CdcMigrator.EndToEndTests;

/// <summary>Tests that kill brokers and Connect share a kit of their own. They run one after another, beside those of <see cref="SteadyKit"/>.</summary>
[CollectionDefinition]
public sealed class KilledKit : ICollectionFixture<KitFixture>;
