using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Service.Configuration;
using CdcMigrator.Service.Resyncing;

namespace CdcMigrator.UnitTests.Service;

/// <summary>What is refused before a table is copied again.</summary>
public sealed class ResyncRulesTests
{
    private static readonly TableName Orders = new("public", "orders");
    private static readonly TableName Events = new("public", "events");
    private static readonly IReadOnlyDictionary<string, long> NoLetters = new Dictionary<string, long>();
    private static readonly MigrationDefinition Definition = MigrationFile.Parse(
        """
        migration: shop
        source: { connection: "Host=a;Database=shop;Username=u" }
        target: { connection: "Host=b;Database=shop" }
        log: { bootstrapServers: "k:9092" }
        connect: { url: "http://c:8083", connector: shop-source }
        tables: [ public.orders, { source: public.events, keyless: true, onePartition: true } ]
        """,
        _ => null).Definition!;

    private static readonly IReadOnlyDictionary<string, string> Settings = ConnectorTemplate.Render(Definition);

    [Fact]
    public void A_captured_table_with_a_key_and_no_dead_letters_is_copied() => ResyncRules.Require(Definition, [Orders], Settings, new Dictionary<string, long> { ["public.events"] = 1 });

    [Fact]
    public void A_table_without_a_key_is_refused() => Refused(FaultKind.NotAllowed, "resync-keyless", "public.events", [Orders, Events], Settings, NoLetters);

    [Fact]
    public void A_connector_that_listens_to_no_signals_is_refused() =>
        Refused(FaultKind.Configuration, "no-signal-table", "cdc_migrator.signal", [Orders], new Dictionary<string, string>(Settings) { ["signal.data.collection"] = "" }, NoLetters);

    [Fact]
    public void A_table_the_connector_does_not_capture_is_refused() => Refused(FaultKind.Configuration, "not-captured", "public.orders", [Orders],
        new Dictionary<string, string>(Settings) { ["table.include.list"] = "public.order,cdc_migrator.fence,cdc_migrator.signal" }, NoLetters);

    [Fact]
    public void Dead_letters_of_the_table_are_named_with_the_command() =>
        Assert.Contains("'cdcm dlq retry --table public.orders'", Refused(
            FaultKind.NotAllowed, "resync-behind-parked", "public.orders has 3", [Orders], Settings, new Dictionary<string, long> { ["public.orders"] = 3 }).Fix, StringComparison.Ordinal);

    private static Fault Refused(
        FaultKind kind, string code, string names, IReadOnlyCollection<TableName> tables, IReadOnlyDictionary<string, string> settings, IReadOnlyDictionary<string, long> deadLetters)
    {
        var fault = Assert.Throws<FaultException>(() => ResyncRules.Require(Definition, tables, settings, deadLetters)).Fault;
        Assert.Equal((kind, code), (fault.Kind, fault.Code));
        Assert.Contains(names, fault.Message, StringComparison.Ordinal);
        return fault;
    }
}
