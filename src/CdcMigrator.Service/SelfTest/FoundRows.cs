using CdcMigrator.Domain.Comparing;
using CdcMigrator.Postgres.Comparing;
using CdcMigrator.Postgres.SelfTest;
using CdcMigrator.Reconciliation.Changes;
using CdcMigrator.Reconciliation.Deciding;
using CdcMigrator.Reconciliation.Passes;

namespace CdcMigrator.Service.SelfTest;

/// <summary>What one full comparison of a scratch table calls wrong, made by the code that compares a migration's tables, and how many rows it compared.</summary>
/// <param name="Wrong">The wrong rows by their number.</param>
/// <param name="Rows">Rows of the source that were compared.</param>
internal sealed record FoundRows(IReadOnlyDictionary<long, RowMismatch> Wrong, long Rows)
{
    /// <summary>Several chunks a table, of one size on any machine.</summary>
    private static readonly VerificationLimits Limits = new() { LargestChunk = 500, ChunkTime = TimeSpan.FromHours(1) };

    /// <summary>Compares all rows, and those found wrong once more by their keys.</summary>
    public static async Task<FoundRows> CompareAsync(ComparedTable table, PostgresSides sides, CancellationToken cancellationToken)
    {
        var log = new StillLog();
        var comparer = new TableComparer(table, "", new ChangeIndex(), sides, log, TimeProvider.System);
        var verification = new TableVerification(comparer, new TableState { Table = table.Source }, log, Limits, TimeProvider.System);
        verification.Begin(1);
        while (verification.IsRunning)
        {
            await verification.StepPassAsync(cancellationToken);
        }

        await verification.StepKeysAsync(TableState.MostWrong, cancellationToken);
        var state = verification.State;
        return new FoundRows(
            table.IsKeyless ? await ByNumberAsync(table, state, sides, cancellationToken) : state.Wrong.ToDictionary(row => Number(row.Key.Values[0]), row => row.Value), state.RowsSource);
    }

    /// <summary>Whether a seeded row was found as what it is.</summary>
    public bool Has(SeededRow row, ScratchWay way) =>
        Wrong.TryGetValue(row.Number, out var found) && found.Kind == row.Kind && (way == ScratchWay.Keyless || found.Columns.SequenceEqual(row.Columns));

    /// <summary>Rows without a key are known by their hash: one that differs is missing as it is in the source, and too many as it is in the target.</summary>
    private static async Task<Dictionary<long, RowMismatch>> ByNumberAsync(ComparedTable table, TableState state, PostgresSides sides, CancellationToken cancellationToken)
    {
        var ordinal = table.Columns.Select(column => column.Source).ToList().IndexOf("n");
        var found = new Dictionary<long, RowMismatch>();
        await using var source = await sides.OpenSourceAsync(cancellationToken);
        await using var target = await sides.OpenTargetAsync(cancellationToken);
        foreach (var (kind, side) in new (DifferenceKind, ISideSnapshot)[] { (DifferenceKind.Missing, source), (DifferenceKind.Extra, target) })
        {
            foreach (var (key, row) in await side.RowsAsync(table, [.. state.Wrong.Values.Where(row => row.Kind == kind).Select(row => row.Key)], cancellationToken))
            {
                var number = Number(row[ordinal]!);
                found[number] = new RowMismatch(key, found.ContainsKey(number) ? DifferenceKind.Different : kind, []);
            }
        }

        return found;
    }

    private static long Number(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
