using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Configuration;

namespace CdcMigrator.Service.Switching;

/// <summary>Runs a hook's program, without a shell, and ends it with all it has started when its time is over.</summary>
internal static class CommandRun
{
    /// <summary>In the environment of all that a run starts, so that even what left its parents is found.</summary>
    private const string Mark = "CDCM_HOOK_RUN";

    private const int EndRounds = 100;

    /// <summary>How long output is waited for that a program left behind may still hold open.</summary>
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(1);

    public static async Task<HookRun> RunAsync(CommandHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken)
    {
        var run = Guid.NewGuid().ToString("N");
        var output = new OutputTail(hook.Secrets);
        using var process = new Process { StartInfo = StartOf(hook, moment, context, run) };
        try
        {
            process.Start();
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException)
        {
            return new HookRun("hook-not-started", $"{hook.Arguments[0].Shown} cannot be started: {exception.Message}", "");
        }

        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(hook.Timeout);
        using var reading = new CancellationTokenSource();
        var read = Task.WhenAll(output.ReadAsync(process.StandardOutput.BaseStream, reading.Token), output.ReadAsync(process.StandardError.BaseStream, reading.Token));
        var ended = false;
        try
        {
            await process.WaitForExitAsync(limit.Token);
            ended = true;
        }
        catch (OperationCanceledException)
        {
            await EndAsync(process, run);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        await Task.WhenAny(read, Task.Delay(OutputGrace, CancellationToken.None));
        await reading.CancelAsync();
        await read.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        cancellationToken.ThrowIfCancellationRequested();
        return !ended ? new HookRun("hook-timeout", $"did not end within {Durations.Format(hook.Timeout)} and was killed", output.ToString())
            : new HookRun(process.ExitCode == 0 ? null : "hook-failed", string.Create(CultureInfo.InvariantCulture, $"exit code {process.ExitCode}"), output.ToString());
    }

    /// <summary>The file a program's name means; null where there is none that may be run.</summary>
    public static string? Find(string program) =>
        (program.Contains('/', StringComparison.Ordinal) ? [program] : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)))
            .FirstOrDefault(path => File.Exists(path) && (OperatingSystem.IsWindows()
                || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0));

    private static ProcessStartInfo StartOf(CommandHook hook, HookMoment moment, HookContext context, string run)
    {
        var start = new ProcessStartInfo(HookTemplate.Fill(hook.Arguments[0].Value, context, moment), hook.Arguments.Skip(1).Select(text => HookTemplate.Fill(text.Value, context, moment)))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in context.Environment(moment).Concat(hook.Environment.Select(pair => KeyValuePair.Create(pair.Key, HookTemplate.Fill(pair.Value.Value, context, moment)))))
        {
            start.Environment[name] = value;
        }

        start.Environment[Mark] = run;
        return start;
    }

    private static async Task EndAsync(Process process, string run)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or AggregateException)
        {
            // Gone by itself, or some of its children were.
        }

        // What is found may start something else before it is killed. What cannot be killed (it waits for a device, it changed its user) is left behind.
        for (var round = 0; round < EndRounds && Marked(run) is { Count: > 0 } left; round++)
        {
            foreach (var id in left)
            {
                try
                {
                    using var other = Process.GetProcessById(id);
                    other.Kill();
                }
                catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
                {
                    // Gone by itself.
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        }
    }

    /// <summary>Processes that inherited the mark. A dead one that nobody has collected has no environment any more.</summary>
    private static List<int> Marked(string run)
    {
        var found = new List<int>();
        if (!OperatingSystem.IsLinux())
        {
            return found;
        }

        var mark = Encoding.ASCII.GetBytes($"{Mark}={run}");
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id != Environment.ProcessId && Holds($"{folder}/environ", mark))
            {
                found.Add(id);
            }
        }

        return found;
    }

    private static bool Holds(string file, byte[] mark)
    {
        try
        {
            return File.ReadAllBytes(file).AsSpan().IndexOf(mark) >= 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
