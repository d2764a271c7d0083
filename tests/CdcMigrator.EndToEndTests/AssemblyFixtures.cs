using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Kit;

[assembly: AssemblyFixture(typeof(KitFixture))]
[assembly: AssemblyFixture(typeof(MariaDbFixture))]
