using ArchUnitNET.Loader;
using static ArchUnitNET.Fluent.ArchRuleDefinition;
using Assembly = System.Reflection.Assembly;

namespace CdcMigrator.UnitTests.Architecture;

/// <summary>The dependency rules of docs/architecture.md, on the compiled assemblies.</summary>
public sealed class DependencyTests
{
    private static readonly string[] Parts =
    [
        "Domain", "Debezium", "Streaming", "Postgres", "MariaDb", "Embedded", "Reconciliation", "Cutover", "Connect", "Service",
    ];

    private static readonly ArchUnitNET.Domain.Architecture Code = new ArchLoader()
        .LoadAssemblies([.. Parts.Select(part => Assembly.Load($"CdcMigrator.{part}")), Assembly.Load("cdcm")])
        .Build();

    [Theory]
    [InlineData("Domain", "")]
    [InlineData("Debezium", "Domain")]
    [InlineData("Streaming", "Domain")]
    [InlineData("Postgres", "Domain")]
    [InlineData("Reconciliation", "Domain")]
    [InlineData("Cutover", "Domain")]
    [InlineData("Connect", "Domain")]
    [InlineData("MariaDb", "Domain Postgres")]
    [InlineData("Embedded", "Domain Postgres")]
    public void A_part_depends_only_on_the_parts_below_it(string part, string below)
    {
        var allowed = below.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append(part).Select(name => $"CdcMigrator.{name}").ToHashSet();
        var referenced = Assembly.Load($"CdcMigrator.{part}").GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("CdcMigrator.", StringComparison.Ordinal));
        Assert.Empty(referenced.Except(allowed));
    }

    [Theory]
    [InlineData("Domain")]
    [InlineData("Reconciliation")]
    [InlineData("Cutover")]
    public void Decisions_see_neither_the_database_driver_nor_the_kafka_client(string part)
    {
        var references = Assembly.Load($"CdcMigrator.{part}").GetReferencedAssemblies().Select(name => name.Name!).ToList();
        Assert.DoesNotContain("Npgsql", references);
        Assert.DoesNotContain("Confluent.Kafka", references);
    }

    [Fact]
    public void The_domain_references_no_package() =>
        Assert.All(
            Assembly.Load("CdcMigrator.Domain").GetReferencedAssemblies(),
            name => Assert.StartsWith("System.", name.Name!, StringComparison.Ordinal));

    [Fact]
    public void Decoding_does_no_input_or_output()
    {
        var forbidden = Code.Types.Concat(Code.ReferencedTypes)
            .Where(type => type.Namespace?.FullName is { } space
                && (space.StartsWith("System.Net", StringComparison.Ordinal) || space == "System.IO.Pipes" || type.FullName is "System.IO.File" or "System.IO.FileStream"))
            .ToList();
        var rule = Types().That().ResideInAssembly(Assembly.Load("CdcMigrator.Debezium")).Should().NotDependOnAny(forbidden).WithoutRequiringPositiveResults();
        Assert.True(rule.HasNoViolations(Code), rule.Description);
    }

    [Fact]
    public void Seams_are_sealed_or_abstract()
    {
        var open = Parts.SelectMany(part => Assembly.Load($"CdcMigrator.{part}").GetTypes())
            .Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false }
                && type.Namespace?.StartsWith("CdcMigrator", StringComparison.Ordinal) == true
                && !type.Name.Contains('<', StringComparison.Ordinal)
                && !type.GetConstructors(System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance)
                    .All(constructor => constructor.IsPrivate));
        Assert.Empty(open.Select(type => type.FullName));
    }
}
