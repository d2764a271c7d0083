using System.Diagnostics;
using CdcMigrator.Cutover.Switching;

namespace CdcMigrator.Service.Switching;

/// <summary>
/// Where a test, or a rehearsal of failures, may hold an attempt or kill its process: at the begin and the end of each step, by the files of the folder that <c>CDCM_FAILPOINTS</c>
/// names. A file <c>Drain.begin</c> that holds <c>kill</c> ends the process at once; any other content holds the attempt there, which is told by renaming it to
/// <c>Drain.begin.reached</c>, until that file is gone. Without the variable nothing is looked at.
/// </summary>
internal static class FailPoints
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly ManualResetEventSlim Never = new();
    private static readonly string? Folder = Environment.GetEnvironmentVariable("CDCM_FAILPOINTS");

    /// <summary>Passes the point that a report marks.</summary>
    public static void Pass(CutoverReport report)
    {
        if (Folder is null)
        {
            return;
        }

        Pass(report.Current is { } begun ? $"{begun}.begin" : report is { Phase: CutoverPhase.Running, Steps: [.., var ended] } ? $"{ended.Name}.end" : $"{report.Phase}");
    }

    private static void Pass(string point)
    {
        var file = Path.Combine(Folder!, point);
        if (!File.Exists(file))
        {
            return;
        }

        if (File.ReadAllText(file).Trim() == "kill")
        {
            File.Delete(file);
            Process.GetCurrentProcess().Kill();
            Never.Wait();
        }

        var reached = $"{file}.reached";
        File.Move(file, reached);
        while (File.Exists(reached))
        {
            Never.Wait(Pause);
        }
    }
}
