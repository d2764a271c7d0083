using Microsoft.Extensions.Logging.Console;

namespace CdcMigrator.Service;

/// <summary>Logs go to standard error: standard output belongs to answers.</summary>
internal static class ServiceLogging
{
    public static void Configure(ILoggingBuilder logging, MigrationServiceOptions options)
    {
        logging.SetMinimumLevel(options.Verbose ? LogLevel.Debug : LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Npgsql", LogLevel.Warning);

        // What ends the process is told once, by whoever started it.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        switch (options.Logs)
        {
            case LogStyle.Json:
                logging.AddJsonConsole(json =>
                {
                    json.UseUtcTimestamp = true;
                    json.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                    json.IncludeScopes = true;
                });
                break;
            case LogStyle.Text:
                logging.AddSimpleConsole(text =>
                {
                    text.SingleLine = true;
                    text.TimestampFormat = "HH:mm:ss ";
                });
                break;
            default:
                return;
        }

        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
