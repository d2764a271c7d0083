using System.Globalization;

namespace CdcMigrator.Embedded.Servers;

/// <summary>PostgreSQL server programs found on this machine.</summary>
/// <param name="Major">Major version, 15 for 15.18.</param>
/// <param name="BinDirectory">Folder with <c>initdb</c> and <c>postgres</c>.</param>
public sealed record PostgresInstallation(int Major, string BinDirectory)
{
    /// <summary>
    /// Folder where a downloaded server may be kept: <c>CDCM_CACHE</c>, else <c>/var/cache/cdcm</c> for root (whose home other users
    /// cannot read, and PostgreSQL refuses to run as root), else the user's cache folder.
    /// </summary>
    public static string CacheDirectory =>
        Environment.GetEnvironmentVariable("CDCM_CACHE") is { Length: > 0 } chosen ? chosen
        : Environment.UserName == "root" ? "/var/cache/cdcm"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "cdcm");

    /// <summary>All installations, oldest version first: <c>CDCM_PG_BIN</c>, the usual package folders, the cache, then PATH.</summary>
    public static IReadOnlyList<PostgresInstallation> FindAll()
    {
        var candidates = new List<string>();
        candidates.AddRange(Environment.GetEnvironmentVariable("CDCM_PG_BIN")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? []);
        foreach (var (root, bin) in new[]
        {
            ("/usr/lib/postgresql", "bin"), ("/usr/local/lib/postgresql", "bin"), ("/opt/homebrew/opt", "bin"),
            (Path.Combine(CacheDirectory, "postgres"), "bin"),
        })
        {
            if (Directory.Exists(root))
            {
                candidates.AddRange(Directory.GetDirectories(root).Select(folder => Path.Combine(folder, bin)));
            }
        }

        candidates.AddRange(Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? []);
        return [.. candidates
            .Select(TryRead)
            .OfType<PostgresInstallation>()
            .DistinctBy(installation => installation.Major)
            .OrderBy(installation => installation.Major)];
    }

    private static PostgresInstallation? TryRead(string bin)
    {
        // initdb beside postgres: a PATH entry that only links to postgres is not enough to make a cluster.
        var postgres = Path.Combine(bin, "postgres");
        if (!File.Exists(postgres) || !File.Exists(Path.Combine(bin, "initdb")))
        {
            return null;
        }

        try
        {
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(postgres, "--version")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            var words = process?.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            process?.WaitForExit();
            var number = words.FirstOrDefault(word => char.IsAsciiDigit(word[0]));
            return number is not null && int.TryParse(number.Split('.', 'b', 'r')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
                ? new PostgresInstallation(major, bin)
                : null;
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return null;
        }
    }
}
