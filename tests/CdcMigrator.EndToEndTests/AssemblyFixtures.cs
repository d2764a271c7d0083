using CdcMigrator.TestKit.Kit;

[assembly: AssemblyFixture(typeof(KitFixture))]
