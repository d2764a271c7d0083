using System.Globalization;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cli.Demo;

/// <summary>The folder of one demo: servers, migration file, logs and process ids.</summary>
internal sealed class DemoFolder
{
    private const string Mark = "cdcm-demo-";

    private DemoFolder(string path) => Path = path;

    public string Path { get; }

    public string Source => System.IO.Path.Combine(Path, "source");

    public string Target => System.IO.Path.Combine(Path, "target");

    public string MigrationFile => System.IO.Path.Combine(Path, "migration.yaml");

    public string ServiceLog => System.IO.Path.Combine(Path, "service.log");

    public string ServicePid => System.IO.Path.Combine(Path, "service.pid");

    public static DemoFolder Create()
    {
        var path = Directory.CreateTempSubdirectory(Mark).FullName;
        if (Environment.UserName == "root" && !OperatingSystem.IsWindows())
        {
            // The servers run as another user and must reach their data below.
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        return new DemoFolder(path);
    }

    /// <summary>The folder a demo left behind.</summary>
    /// <exception cref="FaultException">Configuration: it is not one.</exception>
    public static DemoFolder Open(string path) =>
        System.IO.Path.GetFileName(System.IO.Path.GetFullPath(path).TrimEnd('/')).StartsWith(Mark, StringComparison.Ordinal) && Directory.Exists(path)
            ? new DemoFolder(System.IO.Path.GetFullPath(path))
            : throw new FaultException(FaultKind.Configuration, "not-a-demo", $"{path} is not the folder of a demo", "'cdcm demo --keep' prints its folder");

    /// <summary>Processes that still run in it, the service first: by the ids it holds, and only where the process names the folder.</summary>
    public IReadOnlyList<int> Processes() =>
    [
        .. new[] { ServicePid, System.IO.Path.Combine(Source, "data", "postmaster.pid"), System.IO.Path.Combine(Target, "data", "postmaster.pid") }
            .Where(File.Exists)
            .Select(file => int.TryParse(File.ReadLines(file).FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(NamesThisFolder),
    ];

    /// <summary>Removes the folder; the files of killed servers may take a moment to be let go.</summary>
    public async Task RemoveAsync()
    {
        for (var attempt = 0; Directory.Exists(Path) && attempt < 50; attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }

    private bool NamesThisFolder(int pid)
    {
        try
        {
            return pid > 0 && File.ReadAllText($"/proc/{pid}/cmdline").Contains(Path, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
