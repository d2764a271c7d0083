using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>Whether the tools that evolve both schemas have applied the same versions. Pure.</summary>
public static class HistoryParity
{
    private const int MostNamed = 10;

    /// <summary>One result a tool's table on either side.</summary>
    public static IReadOnlyList<CheckResult> Of(IReadOnlyList<HistoryFact> source, IReadOnlyList<HistoryFact> target)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        var results = new List<CheckResult>();
        var left = target.ToList();
        foreach (var here in source)
        {
            // Of the same name first; a schema may have another name on the other side, where the tool has but one table on each.
            var there = left.Find(fact => fact.Tool == here.Tool && fact.Table == here.Table)
                ?? (source.Count(fact => fact.Tool == here.Tool) == 1 ? left.Find(fact => fact.Tool == here.Tool) : null);
            if (there is not null)
            {
                left.Remove(there);
            }

            results.Add(Of(here, there));
        }

        results.AddRange(left.Select(there => new CheckResult($"{there.Tool} {there.Table}", CheckState.Fail, $"{there.Tool} has applied {there.Versions.Count} versions to the target, and is not known to the source")
        {
            Severity = Severity.Warning,
            Target = Text(there.Versions.Count),
            Fix = "Apply to the source what is meant for both sides",
        }));
        return results;
    }

    private static CheckResult Of(HistoryFact here, HistoryFact? there)
    {
        var name = $"{here.Tool} {here.Table}";
        if (there is null)
        {
            return new CheckResult(name, CheckState.Fail, $"{here.Tool} has applied {here.Versions.Count} versions to the source, and is not known to the target: after the cutover it would apply them again")
            {
                Severity = Severity.Warning,
                Source = Text(here.Versions.Count),
                Fix = $"Copy {here.Table} to the target, or have {here.Tool} take the schema as it is (a baseline)",
            };
        }

        var failed = here.Failed.Select(version => $"{version} failed on the source").Concat(there.Failed.Select(version => $"{version} failed on the target"));
        var differing = failed
            .Concat(here.Versions.Keys.Except(there.Versions.Keys).Where(version => !IsCovered(there, version)).Order(StringComparer.Ordinal).Select(version => $"{version} is not on the target"))
            .Concat(there.Versions.Keys.Except(here.Versions.Keys).Where(version => !IsCovered(here, version)).Order(StringComparer.Ordinal).Select(version => $"{version} is not on the source"))
            .Concat(here.Versions.Where(version => version.Value is not null && there.Versions.TryGetValue(version.Key, out var sum) && sum is not null && sum != version.Value)
                .Select(version => $"{version.Key} has another checksum").Order(StringComparer.Ordinal))
            .ToList();
        return new CheckResult(name, differing.Count == 0 ? CheckState.Pass : CheckState.Fail, differing.Count == 0 ? "the same versions"
            : string.Join("; ", differing.Take(MostNamed)) + (differing.Count > MostNamed ? $"; {differing.Count - MostNamed} more" : ""))
        {
            Source = Text(here.Versions.Count),
            Target = Text(there.Versions.Count),
            Fix = differing.Count == 0 ? "" : $"Run {here.Tool} against the side that lacks them",
        };
    }

    /// <summary>Versions are numbers with dots or underscores; one that has anything else is not below a baseline.</summary>
    private static bool IsCovered(HistoryFact side, string version)
    {
        if (Parts(side.Baseline) is not { } baseline || Parts(version) is not { } parts)
        {
            return false;
        }

        for (var i = 0; i < Math.Max(baseline.Count, parts.Count); i++)
        {
            var (one, other) = (parts.ElementAtOrDefault(i), baseline.ElementAtOrDefault(i));
            if (one != other)
            {
                return one < other;
            }
        }

        return true;
    }

    private static List<decimal>? Parts(string? version)
    {
        var parts = new List<decimal>();
        foreach (var part in version?.Split('.', '_') ?? [])
        {
            if (!decimal.TryParse(part, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            parts.Add(number);
        }

        return parts.Count == 0 ? null : parts;
    }

    private static string Text(int count) => count.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
