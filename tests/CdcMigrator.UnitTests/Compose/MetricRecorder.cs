using System.Reflection;
using Prometheus;

namespace CdcMigrator.UnitTests.Compose;

/// <summary>A metric factory that keeps type, name and labels of what is created through it. (An export does not show labelled metrics without values.)</summary>
public class MetricRecorder : DispatchProxy
{
    private readonly SortedDictionary<string, string> created = new(StringComparer.Ordinal);
    private readonly IMetricFactory inner = Metrics.WithCustomRegistry(Metrics.NewCustomRegistry());

    /// <summary>Name to type and labels.</summary>
    public static IReadOnlyDictionary<string, string> Record(params Action<IMetricFactory>[] register)
    {
        var factory = Create<IMetricFactory, MetricRecorder>();
        foreach (var action in register)
        {
            action(factory);
        }

        return ((MetricRecorder)factory).created;
    }

    /// <inheritdoc />
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var method = targetMethod!;
        if (method.Name.StartsWith("Create", StringComparison.Ordinal) && args is [string name, ..])
        {
            var configuration = args.OfType<MetricConfiguration>().FirstOrDefault();
            var labels = args.OfType<string[]>().FirstOrDefault() ?? configuration?.LabelNames ?? [];
            created[name] = string.Join(' ', [method.Name["Create".Length..].ToLowerInvariant(), .. labels]);
        }

        return method.Invoke(inner, args);
    }
}
