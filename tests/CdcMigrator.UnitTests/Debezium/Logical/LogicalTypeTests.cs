namespace CdcMigrator.UnitTests.Debezium.Logical;

public sealed class LogicalTypeTests
{
    private static readonly (string, string)[] MariaDbSettings = [("connector.class", "io.debezium.connector.mariadb.MariaDbConnector")];

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, LogicalCases.All.Length)];

    public static TheoryData<int> MariaDbCases => [.. Enumerable.Range(0, LogicalCases.MariaDb.Length)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_value_is_PostgreSQLs_text_in_every_format(int index) => Check(LogicalCases.All[index]);

    [Theory]
    [MemberData(nameof(MariaDbCases))]
    public void A_value_of_MariaDB_is_PostgreSQLs_text_in_every_format(int index) =>
        Check(LogicalCases.MariaDb[index] with { Settings = [.. MariaDbSettings, .. LogicalCases.MariaDb[index].Settings] });

    public static TheoryData<int> MappedIndices => [.. Enumerable.Range(0, MappedCases.All.Length)];

    [Theory]
    [MemberData(nameof(MappedIndices))]
    public void A_mapping_of_a_column_holds_in_every_format(int index) =>
        Check(MappedCases.All[index] with { Settings = MariaDbSettings });

    private static void Check(LogicalCase value)
    {
        var context = value.ToString();
        if (!value.NeedsSchema)
        {
            Assert.Equal((context, "schemaless", value.Expected), (context, "schemaless", value.Schemaless()));
        }

        Assert.Equal((context, "with schema", value.Expected), (context, "with schema", value.WithSchema()));
        Assert.Equal((context, "Avro", value.ExpectedOfAvro ?? value.Expected), (context, "Avro", value.Avro()));
    }
}
