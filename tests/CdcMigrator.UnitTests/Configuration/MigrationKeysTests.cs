using CdcMigrator.Service.Configuration;
using CdcMigrator.TestKit;
using CdcMigrator.TestKit.Golden;

namespace CdcMigrator.UnitTests.Configuration;

public sealed class MigrationKeysTests
{
    [Fact]
    public void The_keys_of_a_migration_file_are_frozen() =>
        GoldenFile.Matches("configuration-keys", string.Join('\n', MigrationKeys.All.Select(key => $"{key.Path} | {key.Type} | {key.Default}")));

    [Fact]
    public void The_loader_reads_every_key_of_its_table()
    {
        var context = new ReadingContext(_ => null);
        MigrationFile.Parse("tables: [ { source: a.b, columns: { c: {} } } ]\nrules: [ {} ]\nbenchmarks: [ {} ]\ncutover: { route: { pgbouncer: [ {} ], beforeFence: [ {} ] } }", context);
        Assert.Equal(MigrationKeys.All.Select(key => key.Path).Order(StringComparer.Ordinal), context.Asked.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_key_is_documented_with_its_type_and_default()
    {
        var documentation = File.ReadAllText(Repository.PathOf("docs", "configuration.md"));
        Assert.All(MigrationKeys.All, key => Assert.Contains(
            $"| `{key.Path}` | {key.Type.Replace("|", "\\|", StringComparison.Ordinal)} | {key.Default} | {key.Summary} |", documentation, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("200ms", 200)]
    [InlineData("5s", 5000)]
    [InlineData("1.5m", 90_000)]
    [InlineData("24h", 86_400_000)]
    [InlineData("14d", 1_209_600_000)]
    public void A_duration_is_a_number_and_a_unit(string text, double milliseconds)
    {
        Assert.True(Durations.TryParse(text, out var value));
        Assert.Equal(milliseconds, value.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 parsecs")]
    [InlineData("1e3s")]
    [InlineData("99999d")]
    public void Anything_else_is_no_duration(string text) => Assert.False(Durations.TryParse(text, out _));

    [Theory]
    [InlineData(100)]
    [InlineData(5000)]
    [InlineData(90_000)]
    [InlineData(86_400_000)]
    [InlineData(1_209_600_000)]
    public void A_duration_survives_being_written(double milliseconds)
    {
        Assert.True(Durations.TryParse(Durations.Format(TimeSpan.FromMilliseconds(milliseconds)), out var value));
        Assert.Equal(milliseconds, value.TotalMilliseconds);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(1536)]
    [InlineData(16L << 20)]
    [InlineData(3L << 30)]
    public void A_size_survives_being_written(long bytes)
    {
        Assert.True(Sizes.TryParse(Sizes.Format(bytes), out var value));
        Assert.Equal(bytes, value);
    }
}
