using System.Globalization;

namespace CdcMigrator.Benchmarks.Compare;

/// <summary>Processor time from /proc. On a busy machine it tells more than the clock.</summary>
internal static class ProcessorTime
{
    private const double TicksASecond = 100;

    /// <summary>User and system time of a process so far; zero where there is none.</summary>
    public static TimeSpan Of(int processId) => Read(processId) is { } stat ? stat.Time : TimeSpan.Zero;

    /// <summary>The same, of a process's children that live: a PostgreSQL server's backends.</summary>
    public static TimeSpan OfChildren(int processId) => Directory.GetDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? Read(id) : null)
        .Where(stat => stat is { } found && found.Parent == processId)
        .Aggregate(TimeSpan.Zero, (sum, stat) => sum + stat!.Value.Time);

    private static (int Parent, TimeSpan Time)? Read(int processId)
    {
        try
        {
            // Behind the name, which may hold anything but ends with the last parenthesis.
            var text = File.ReadAllText($"/proc/{processId}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), TimeSpan.FromSeconds(ticks / TicksASecond));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
