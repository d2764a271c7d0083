namespace CdcMigrator.Domain.Migrations;

/// <summary>How gently both sides are compared, and how often the checks beside it are made.</summary>
public sealed record VerifySection
{
    /// <summary>How long reading a chunk should take on the slower side.</summary>
    public TimeSpan ChunkTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Tables that are compared at the same time.</summary>
    public int TablesAtOnce { get; init; } = 2;

    /// <summary>Most dirty keys remembered a table; about 200 bytes each. Beyond it only a full pass verifies the table.</summary>
    public int DirtyKeys { get; init; } = 1_000_000;

    /// <summary>Lag of the lanes above which passes wait.</summary>
    public TimeSpan PauseAboveLag { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often the checks beside the rows are made.</summary>
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Longest time of one query of a business rule.</summary>
    public TimeSpan RuleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Share of a table's rows, in percent, by which counts may differ through what is on its way before that is worth a warning.</summary>
    public decimal CountTolerance { get; init; } = 0.1m;

    /// <summary>Tables with more rows than this are sampled between full passes.</summary>
    public int SampleAbove { get; init; } = 1_000_000;

    /// <summary>Probability, in percent, with which a sample finds a wrong row where as many are wrong as <see cref="SampleErrorRate"/> says.</summary>
    public decimal SampleConfidence { get; init; } = 99m;

    /// <summary>Share of wrong rows, in percent, that a sample is to find.</summary>
    public decimal SampleErrorRate { get; init; } = 0.1m;
}
