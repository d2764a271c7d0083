using System.Text.Json;
using CdcMigrator.Connect;
using CdcMigrator.Connect.Checks;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.TestKit;

namespace CdcMigrator.UnitTests.Connect;

/// <summary>connectors/*.json are what the code renders. After a change of the template: <c>CDCM_WRITE_CONNECTORS=1</c> writes them anew.</summary>
public sealed class ConnectorFilesTests
{
    private static readonly Dictionary<string, (MigrationDefinition Definition, ConnectorTemplateOptions Options)> Files = new()
    {
        ["postgres-json.json"] = (Migrations.Postgres, new()),
        ["postgres-json-schema.json"] = (Migrations.Postgres, new() { JsonSchemas = true }),
        ["postgres-avro.json"] = (Migrations.PostgresAvro("http://registry.example:8080/apis/ccompat/v7"), new()),
        ["postgres-avro-confluent.json"] = (Migrations.PostgresAvro("http://registry.example:8081"), new()),
        ["mariadb.json"] = (Migrations.MySql(SourceKind.MariaDb), new()),
        ["mysql.json"] = (Migrations.MySql(SourceKind.MySql), new()),
    };

    public static TheoryData<string> Names => [.. Files.Keys];

    [Fact]
    public void Every_connector_file_is_rendered_by_the_code()
    {
        if (Environment.GetEnvironmentVariable("CDCM_WRITE_CONNECTORS") == "1")
        {
            foreach (var (name, (definition, options)) in Files)
            {
                File.WriteAllText(PathOf(name), ConnectorSettings.ToJson(ConnectorTemplate.Render(definition, options)));
            }
        }

        Assert.Equal(Files.Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(PathOf(""), "*.json").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_connector_file_is_exactly_what_the_template_renders(string file)
    {
        var (definition, options) = Files[file];
        Assert.Equal(ConnectorSettings.ToJson(ConnectorTemplate.Render(definition, options)), File.ReadAllText(PathOf(file)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_checks_find_no_error_in_a_connector_file(string file)
    {
        var settings = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(PathOf(file)))!;
        var findings = ConnectorChecks.Check(settings, Files[file].Definition, "3.5.0.Final");
        Assert.Empty(findings.Where(finding => finding.Severity == Severity.Error));
        Assert.Equal(file == "postgres-avro.json" ? ["connector-avro-null-default"] : [], findings.Select(finding => finding.Code));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_readme_gives_a_reason_for_every_setting_of_a_connector_file(string file)
    {
        var readme = File.ReadAllText(PathOf("README.md"));
        var settings = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(PathOf(file)))!;
        var explained = settings.Keys.Where(name => !readme.Contains($"`{name.Replace("key.converter.", "*.converter.", StringComparison.Ordinal).Replace("value.converter.", "*.converter.", StringComparison.Ordinal)}`", StringComparison.Ordinal));
        Assert.Empty(explained.Where(name => name is not ("key.converter" or "value.converter")));
    }

    private static string PathOf(string name) => Repository.PathOf("connectors", name);
}
