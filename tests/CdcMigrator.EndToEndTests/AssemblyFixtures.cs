using CdcMigrator.TestKit.Databases;

[assembly: AssemblyFixture(typeof(MariaDbFixture))]
