using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.UnitTests.Connect;

/// <summary>The migration files behind <c>connectors/*.json</c>.</summary>
internal static class Migrations
{
    public static MigrationDefinition Postgres { get; } = new()
    {
        Name = "shop",
        Source = new SourceSection(SourceKind.PostgreSql, "Host=source.example;Port=5432;Database=shop;Username=SOURCE_USER;Password=SOURCE_PASSWORD"),
        Target = new TargetSection("Host=target.example;Database=shop;Username=migrator"),
        Log = new LogSection { BootstrapServers = "kafka.example:9092", TopicPrefix = "shop" },
        Connect = new ConnectSection(new Uri("http://connect.example:8083"), "shop-source"),
        Tables = [Table("public", "customers"), Table("public", "orders")],
    };

    public static MigrationDefinition PostgresAvro(string registry) => Postgres with
    {
        Log = Postgres.Log with { Format = LogFormat.Avro, SchemaRegistry = new Uri(registry) },
    };

    public static MigrationDefinition MySql(SourceKind kind) => Postgres with
    {
        Source = new SourceSection(kind, "Server=source.example;Port=3306;Database=shop;User ID=SOURCE_USER;Password=SOURCE_PASSWORD"),
        Tables = [Table("shop", "customers"), Table("shop", "orders")],
    };

    public static TableMapping Table(string schema, string name) => new() { Source = new TableName(schema, name), Target = new TableName(schema, name) };
}
