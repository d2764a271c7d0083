namespace CdcMigrator.UnitTests.Cli;

/// <summary><c>cdcm cutover sql --remove</c>: on the night on which a side is lost nothing answers.</summary>
public sealed class CutoverSqlTests
{
    [Theory]
    [InlineData("source", "('public', 'orders')")]
    [InlineData("target", "('crm', 'orders2')")]
    public async Task What_removes_a_sides_fence_is_printed_while_neither_side_answers(string side, string table)
    {
        var folder = Directory.CreateTempSubdirectory("cdcm-sql-");
        try
        {
            var file = Path.Combine(folder.FullName, "m.yaml");
            await File.WriteAllTextAsync(
                file, "migration: shop\nsource: { connection: \"Host=127.0.0.1;Port=1;Database=x\" }\ntarget: { connection: \"Host=127.0.0.1;Port=1;Database=x\" }\nlog: { bootstrapServers: \"127.0.0.1:1\" }\n"
                + "tables: [ { source: public.orders, target: crm.orders2 } ]\n", TestContext.Current.CancellationToken);
            var run = await CliRun.Of("cutover", "sql", "-f", file, "--remove", side);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            Assert.StartsWith($"-- {side}\n-- Removes the fence of migration shop", run.Output, StringComparison.Ordinal);
            Assert.Contains($"(values {table}) as t(s, r)", run.Output, StringComparison.Ordinal);
            Assert.Contains("delete from cdc_migrator.fence_state where migration = 'shop'", run.Output, StringComparison.Ordinal);
            Assert.Contains($"\"{side}\": ", (await CliRun.Of("cutover", "sql", "-f", file, "--remove", side, "-o", "json")).Output, StringComparison.Ordinal);

            Assert.Equal(2, (await CliRun.Of("cutover", "sql", "-f", file, "--remove", "both")).ExitCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
