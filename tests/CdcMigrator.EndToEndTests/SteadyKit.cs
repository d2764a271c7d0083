using CdcMigrator.TestKit.Kit;

namespace CdcMigrator.EndToEndTests;

/// <summary>Tests that kill nothing but services and databases of their own share a kit. They run one after another, beside those of <see cref="KilledKit"/>.</summary>
[CollectionDefinition]
public sealed class SteadyKit : ICollectionFixture<KitFixture>;
