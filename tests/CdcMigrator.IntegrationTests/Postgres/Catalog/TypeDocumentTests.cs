using System.Text.RegularExpressions;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Debezium;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Catalog;
using CdcMigrator.TestKit;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Postgres.Catalog;

/// <summary>docs/types.md against the catalog and the decoder.</summary>
public sealed partial class TypeDocumentTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_table_of_types_says_what_the_code_does()
    {
        var documented = File.ReadLines(Repository.PathOf("docs", "types.md"))
            .SkipWhile(line => line != "| types | events |").Skip(2).TakeWhile(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .SelectMany(cells => Quoted().Matches(cells[1]).Select(type => (Type: type.Groups[1].Value, Says: cells[2])))
            .ToList();
        Assert.True(documented.Count > 90, $"only {documented.Count} types are documented");

        await using var source = await postgres.CreateSourceAsync($"""
            create extension citext; create extension hstore; create extension ltree; create extension isn;
            create type mood as enum ('ok'); create type pair as (x int, y text); create type span as range (subtype = float8); create domain short_text as varchar(20); create domain amount as numeric(12, 2);
            create table t (id int primary key, {string.Join(", ", documented.Select((entry, i) => $"c{i} {entry.Type}"))})
            """);
        var mapping = new TableMapping { Source = new("public", "t"), Target = new("public", "t") };
        var route = (await TargetCatalog.LoadAsync(source.DataSource, [mapping], CancellationToken.None)).All.Single();
        var settings = DebeziumSettings.FromConnector(ConnectorTemplate.Render(new MigrationDefinition
        {
            Name = "types",
            Source = new SourceSection(SourceKind.PostgreSql, "Host=localhost;Database=x;Username=x"),
            Target = new TargetSection("Host=localhost;Database=x;Username=x"),
            Log = new LogSection { TopicPrefix = "types", BootstrapServers = "localhost:9092" },
            Tables = [mapping],
        }));
        var wrong = documented
            .Select((entry, i) => (entry.Type, entry.Says, Does: EventFidelity.Of(route.Target.Columns[i + 1].Type, settings)))
            .Where(entry => !entry.Says.StartsWith(Said(entry.Does), StringComparison.Ordinal) || entry.Says.Contains("NULL read again", StringComparison.Ordinal) != (entry.Does == Carriage.NullIsAmbiguous)
                || entry.Says.Contains("NOT NULL must", StringComparison.Ordinal) != (entry.Does == Carriage.Unconvertible));
        Assert.Empty(wrong.Select(entry => $"{entry.Type} is documented as '{entry.Says}' but is {entry.Does}"));
    }

    private static string Said(Carriage carriage) => carriage is Carriage.Whole or Carriage.NullIsAmbiguous ? "carried" : "read again";

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
