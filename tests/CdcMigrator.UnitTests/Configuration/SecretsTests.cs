using CdcMigrator.Service.Configuration;

namespace CdcMigrator.UnitTests.Configuration;

public sealed class SecretsTests
{
    private const string File = """
        migration: shop
        source: { connection: "Host=a;Database=shop;Password=${SOURCE_PASSWORD}" }
        target: { connection: "Host=b;Database=shop" }
        log:
          bootstrapServers: k:9092
          client: { sasl.password: "${KAFKA_PASSWORD}", sasl.username: cdcm }
        tables: [ public.orders ]
        """;

    [Fact]
    public void A_reference_is_replaced_by_the_environment_variable()
    {
        var definition = MigrationFile.Parse(File, name => name is "SOURCE_PASSWORD" ? "pass'word" : name is "KAFKA_PASSWORD" ? "k" : null).Definition!;
        Assert.Equal("Host=a;Database=shop;Password=pass'word", definition.Source.Connection);
        Assert.Equal("k", definition.Log.Client["sasl.password"]);
    }

    [Fact]
    public void A_reference_is_replaced_by_the_file_its_twin_names_without_the_last_newline()
    {
        var path = Path.GetTempFileName();
        System.IO.File.WriteAllText(path, "from file\n");
        var definition = MigrationFile.Parse(File, name => name is "SOURCE_PASSWORD_FILE" ? path : name is "KAFKA_PASSWORD" ? "k" : null).Definition!;
        System.IO.File.Delete(path);
        Assert.EndsWith("Password=from file", definition.Source.Connection, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_variable_is_named_with_its_line_and_with_the_other_way_to_give_it()
    {
        var errors = MigrationFile.Parse(File, name => name == "KAFKA_PASSWORD" ? "" : "x").Errors;
        var error = Assert.Single(MigrationFile.Parse(File, name => name == "SOURCE_PASSWORD" ? "x" : null).Errors);
        Assert.Equal(6, error.Line);
        Assert.Contains("environment variable KAFKA_PASSWORD is not set (nor KAFKA_PASSWORD_FILE", error.Message, StringComparison.Ordinal);
        Assert.Single(errors);
    }

    [Fact]
    public void A_secret_file_that_cannot_be_read_is_named()
    {
        var error = Assert.Single(MigrationFile.Parse(File, name => name switch
        {
            "SOURCE_PASSWORD_FILE" => "/nonexistent/secret",
            "KAFKA_PASSWORD" => "k",
            _ => null,
        }).Errors);
        Assert.Contains("SOURCE_PASSWORD_FILE names /nonexistent/secret, which cannot be read", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a $${b} c", "a ${b} c")]
    [InlineData("$5", "$5")]
    [InlineData("${X}${X}", "xx")]
    public void A_dollar_is_only_special_before_a_brace(string text, string expected)
    {
        Assert.Equal(expected, new EnvironmentReferences(name => name == "X" ? "x" : null).Expand(text, out var error));
        Assert.Null(error);
    }

    [Theory]
    [InlineData("${")]
    [InlineData("${}")]
    [InlineData("${A B}")]
    [InlineData("${1A}")]
    public void A_broken_reference_is_a_mistake(string text)
    {
        Assert.Null(new EnvironmentReferences(_ => "x").Expand(text, out var error));
        Assert.NotNull(error);
    }

    [Fact]
    public void The_effective_file_shows_every_value_but_no_secret_and_loads_again()
    {
        var definition = MigrationFile.Parse(File.Replace("k:9092", "k:9092\n  schemaRegistry: http://me:hidden@registry:8081", StringComparison.Ordinal), _ => "hidden").Definition!;
        var shown = EffectiveFile.Render(definition);
        Assert.DoesNotContain("hidden", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", EffectiveFile.RenderJson(definition), StringComparison.Ordinal);
        Assert.Contains("sasl.username: cdcm", shown, StringComparison.Ordinal);
        var again = MigrationFile.Parse(shown, _ => null);
        Assert.Empty(again.Errors);
        Assert.Equal(shown, EffectiveFile.Render(again.Definition!));
    }
}
