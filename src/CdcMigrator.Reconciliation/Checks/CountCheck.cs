using System.Globalization;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Preflight;

namespace CdcMigrator.Reconciliation.Checks;

/// <summary>
/// Counts rows of both sides exactly while they are written. Of two snapshots every row whose key no change explains is in both or in neither, so that without the
/// explained keys counts, and sums of key hashes, must be equal to the row: what is left is wrong, whatever the tolerance. That is for the difference as it is, and
/// warns early of a target that is far behind.
/// </summary>
public sealed class CountCheck(IComparedSides sides, IChangeReader reader, TimeProvider time, decimal tolerance)
{
    /// <summary>Most explained keys that are looked up.</summary>
    public const int MostExplained = 100_000;

    /// <summary>Counts one table.</summary>
    /// <exception cref="FaultException">A side does not answer, or the log cannot be followed.</exception>
    public async Task<CheckResult> CheckAsync(CheckedTable table, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(table);
        var name = table.Table.Source;
        await using var pair = await CheckedPair.OpenAsync(sides, reader, [table], cancellationToken).ConfigureAwait(false);
        var (here, there) = await CountAsync(pair, table, null, cancellationToken).ConfigureAwait(false);
        var off = Math.Abs(here.Rows - there.Rows);
        var result = new CheckResult(name.ToString(), CheckState.Pass, "equal")
        {
            Table = name.ToString(),
            Source = Text(here.Rows),
            Target = Text(there.Rows),
            Difference = Text(here.Rows - there.Rows),
            Allowed = $"{(tolerance * 100).ToString("0.####", CultureInfo.InvariantCulture)} % on their way, 0 else",
            Evidence = pair.ToString(),
            PassedAt = time.GetUtcNow(),
        };

        await pair.PassAsync(cancellationToken).ConfigureAwait(false);
        var undecided = result with { State = CheckState.InFlight, PassedAt = null, Fix = "It is counted again by itself" };
        if (await pair.Target.ParkedAsync(table.Table, cancellationToken).ConfigureAwait(false) is not { } parked)
        {
            return undecided with { Message = "dead letters whose rows cannot be told" };
        }

        if (table.Table.IsKeyless)
        {
            return here == there ? result
                : pair.ExplainsAny(name) || parked.Count > 0 ? undecided with { Message = "differs while changes are on their way" }
                : result with { State = CheckState.Fail, PassedAt = null, Message = "counts differ, and nothing is on its way", Fix = Fix };
        }

        if (pair.Explained(name, MostExplained) is not { } explained)
        {
            return undecided with { Message = $"all rows changed at once, or more than {MostExplained} keys are on their way" };
        }

        HashSet<RowKey> keys = [.. explained, .. parked];
        var (ofThese, ofThose) = keys.Count == 0 ? default : await CountAsync(pair, table, keys, cancellationToken).ConfigureAwait(false);
        var rows = here.Rows - there.Rows - (ofThese.Rows - ofThose.Rows);
        var sum = here.Sum - there.Sum - (ofThese.Sum - ofThose.Sum);
        if (rows != 0 || sum != 0)
        {
            return result with
            {
                State = CheckState.Fail,
                PassedAt = null,
                Message = rows != 0 ? $"{Text(rows)} of the difference is not on its way" : "as many rows, but other keys",
                Fix = Fix,
            };
        }

        // Explained to the row. A target that is far behind is worth a word all the same.
        var unsummed = table.Table.SumsKeys ? "" : $"; keys are not summed above {Text(ComparedTable.MostKeysHashedHere)} rows";
        return off <= tolerance * Math.Max(here.Rows, there.Rows) ? result with { Message = (off == 0 ? "equal" : "differs by what is on its way") + unsummed }
            : result with { State = CheckState.Fail, Severity = Severity.Warning, Message = "differs by what is on its way, which is more than the tolerance", Fix = "'cdcm lag' shows how far the target is behind" };
    }

    private const string Fix = "'cdcm verify start --wait' names the rows";

    private static async Task<(ChunkDigest Source, ChunkDigest Target)> CountAsync(CheckedPair pair, CheckedTable table, IReadOnlyCollection<RowKey>? keys, CancellationToken cancellationToken)
    {
        var source = pair.Source.CountAsync(table.Table, keys, cancellationToken);
        var target = pair.Target.CountAsync(table.Table, keys, cancellationToken);
        await Task.WhenAll(source, target).ConfigureAwait(false);
        return (await source.ConfigureAwait(false), await target.ConfigureAwait(false));
    }

    private static string Text(long rows) => rows.ToString(CultureInfo.InvariantCulture);
}
