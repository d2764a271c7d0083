using CdcMigrator.Domain.Auditing;
using CdcMigrator.Postgres.Catalog;

namespace CdcMigrator.Postgres.Auditing;

/// <summary>What reading a table gave.</summary>
/// <param name="Rows">Rows read; null where it was not read to its end.</param>
/// <param name="Columns">The columns' profiles, without counts where it was not read.</param>
/// <param name="Answers">What preflight asks of values; empty where it was not read.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Trouble">Why it was not read; null where it was.</param>
internal sealed record TableReading(long? Rows, IReadOnlyList<ColumnProfile> Columns, IReadOnlyList<ValueAnswer> Answers, double Seconds, string? Trouble)
{
    /// <summary>Bytes of the largest row as text; null where it was not read.</summary>
    public long? LargestRow { get; init; }

    /// <summary>What to do about the trouble.</summary>
    public string Fix { get; init; } = "";
}
