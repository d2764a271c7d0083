using CdcMigrator.Domain.Comparing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>Says how each table of a migration is compared between two PostgreSQL databases, from both catalogs.</summary>
public static class ComparedTables
{
    /// <summary>
    /// Reads both catalogs. One result a mapping, in their order; a table that cannot be compared exactly is among them and says why. To be read again when a
    /// schema may have changed.
    /// </summary>
    /// <param name="source">Source database.</param>
    /// <param name="target">Target database.</param>
    /// <param name="mappings">Tables of the migration file.</param>
    /// <param name="cancellationToken">Stops the queries.</param>
    /// <exception cref="FaultException">Unreachable, Transient, Configuration: a catalog cannot be read.</exception>
    public static async Task<IReadOnlyList<ComparedTable>> ReadAsync(
        NpgsqlDataSource source, NpgsqlDataSource target, IReadOnlyList<TableMapping> mappings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(mappings);
        try
        {
            var hashing = await HashAgreement.FindAsync(source, target, cancellationToken);
            var here = await SideCatalog.ReadAsync(source, [.. mappings.Select(mapping => mapping.Source).Distinct()], cancellationToken);
            var there = await SideCatalog.ReadAsync(target, [.. mappings.Select(mapping => mapping.Target).Distinct()], cancellationToken);
            return [.. mappings.Select(mapping => Pair(mapping, here.GetValueOrDefault(mapping.Source), there.GetValueOrDefault(mapping.Target)) with
            {
                Hashing = hashing,
            })];
        }
        catch (Exception exception) when (PostgresFaults.IsOfServer(exception))
        {
            throw PostgresFaults.ToException(exception);
        }
    }

    /// <summary>How a table is compared, from what the catalogs have under its names. Pure.</summary>
    internal static ComparedTable Pair(TableMapping mapping, SideTable? source, SideTable? target)
    {
        if (Unusable("source", mapping.Source, source) is { } here)
        {
            return Refused(mapping, here);
        }

        if (Unusable("target", mapping.Target, target) is { } there)
        {
            return Refused(mapping, there);
        }

        var key = mapping.Keyless ? null : target!.Keys.Count > 0 ? target.Keys[0] : null;
        if (key is null && !mapping.Keyless)
        {
            return Refused(mapping, $"{mapping.Target} in the target has no unique index over NOT NULL columns, by which rows could be told apart");
        }

        var pairs = new ColumnPairs(mapping, source!, target!, key);
        return new ComparedTable
        {
            Source = mapping.Source,
            Target = mapping.Target,
            Columns = [.. pairs.Columns.Select(pair => pair.Compared)],
            Key = pairs.Key,
            Order = key is not null && pairs.SortsAlike ? ChunkOrder.KeyRanges : ChunkOrder.Buckets,
            EstimatedRows = source!.EstimatedRows,
            NotCompared = pairs.NotCompared,
            Unverifiable = pairs.Refusal,
        };
    }

    private static string? Unusable(string side, TableName name, SideTable? table) => table switch
    {
        null => $"the {side} has no table {name}",
        { Kind: not ('r' or 'p') } => $"{name} in the {side} is no table",
        { HasHeirs: true } => $"other tables inherit from {name} in the {side}, and its rows cannot be told from theirs",
        _ => null,
    };

    private static ComparedTable Refused(TableMapping mapping, string reason) =>
        new() { Source = mapping.Source, Target = mapping.Target, Columns = [], Key = [], Order = ChunkOrder.Buckets, Unverifiable = reason };
}
