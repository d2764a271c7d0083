using System.Globalization;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Reconciliation.Deciding;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>
/// Compares some rows of a table: drawn at random from each side, so that rows only one side has are met too; and those where wrong ones are likeliest, of either side
/// (<see cref="SampleStratum"/>). It finds what is wrong in many rows soon; a single wrong row it most likely does not, so that it never stands for a full pass.
/// </summary>
/// <param name="sides">Both databases.</param>
/// <param name="reader">The reader that feeds the indexes.</param>
/// <param name="confidence">Wanted probability of meeting a wrong row, from 0 to 1.</param>
/// <param name="errorRate">Share of wrong rows at which that holds, from 0 to 1.</param>
/// <param name="time">Clock.</param>
public sealed class SampleCheck(IComparedSides sides, IChangeReader reader, double confidence, double errorRate, TimeProvider time)
{
    private const int ChangedKeys = 5_000;

    /// <summary>Rows to draw so that one of them is wrong with a probability, where wrong rows are a share of all and lie anywhere: ln(1 − c) / ln(1 − p).</summary>
    public static int RowsFor(double confidence, double errorRate) => (int)Math.Ceiling(Math.Log(1 - confidence) / Math.Log(1 - errorRate));

    /// <summary>Samples one table.</summary>
    /// <param name="table">The table, with a key.</param>
    /// <param name="restarts">Rows that changed about when its lanes were taken over.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FaultException">A side does not answer, or the log cannot be followed.</exception>
    public async Task<CheckResult> CheckAsync(CheckedTable table, IReadOnlyCollection<RowKey> restarts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(restarts);
        var name = table.Table.Source;
        var rows = RowsFor(confidence, errorRate);
        await using var pair = await CheckedPair.OpenAsync(sides, reader, [table], cancellationToken).ConfigureAwait(false);
        var strata = new SampledStrata();
        strata.Add(await pair.Source.SampleAsync(table.Table, rows, cancellationToken).ConfigureAwait(false));
        strata.Add(await pair.Target.SampleAsync(table.Table, rows, cancellationToken).ConfigureAwait(false));
        strata.Add(SampleStratum.ChangedLast, table.Index.TakeSettled(ChangedKeys));
        strata.Add(SampleStratum.Restarts, restarts);
        var keys = strata.Keys;
        var here = await pair.Source.HashesAsync(table.Table, keys, cancellationToken).ConfigureAwait(false);
        var there = await pair.Target.HashesAsync(table.Table, keys, cancellationToken).ConfigureAwait(false);
        var differing = RowDiff.Of(here, there);
        IReadOnlyList<RowKey> wrong = [];
        if (differing.Count > 0)
        {
            await pair.PassAsync(cancellationToken).ConfigureAwait(false);
            var parked = await pair.Target.ParkedAsync(table.Table, cancellationToken).ConfigureAwait(false);
            wrong = [.. differing.Select(row => row.Key).Where(key => parked?.Contains(key) == false && !pair.Explains(name, key))];
        }

        var result = new CheckResult(name.ToString(), CheckState.Pass, string.Create(CultureInfo.InvariantCulture,
            $"sampled: {keys.Count} rows of both sides ({strata}); with {confidence:0.####%} fewer than {errorRate:0.####%} are wrong, if they lie anywhere"))
        {
            Table = name.ToString(),
            Source = here.Count.ToString(CultureInfo.InvariantCulture),
            Target = there.Count.ToString(CultureInfo.InvariantCulture),
            Difference = wrong.Count.ToString(CultureInfo.InvariantCulture),
            Allowed = "0",
            IsSampled = true,
            Evidence = pair.ToString(),
            PassedAt = time.GetUtcNow(),
        };
        return wrong.Count == 0 ? result : result with
        {
            State = CheckState.Fail,
            PassedAt = null,
            Message = $"sampled: {wrong.Count} of {keys.Count} rows are wrong ({strata.Of(wrong)})",
            Fix = "'cdcm verify start --wait' names all of them",
        };
    }
}
