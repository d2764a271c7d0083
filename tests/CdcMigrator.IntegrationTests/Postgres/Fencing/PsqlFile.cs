using CdcMigrator.TestKit.Databases;
using CdcMigrator.TestKit.Processes;
using Npgsql;

namespace CdcMigrator.IntegrationTests.Postgres.Fencing;

/// <summary>Runs a script as an operator does.</summary>
internal static class PsqlFile
{
    public static async Task<(int Exit, string Error)> RunAsync(TestDatabase database, string script)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, script, TestContext.Current.CancellationToken);
            var text = new NpgsqlConnectionStringBuilder(database.ConnectionString);
            var result = await ProcessRun.RunAsync("psql", ["-X", "-q", "-h", text.Host!, "-p", $"{text.Port}", "-U", text.Username!, "-d", text.Database!, "-f", file], new Dictionary<string, string>());
            return (result.ExitCode, result.Error);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
