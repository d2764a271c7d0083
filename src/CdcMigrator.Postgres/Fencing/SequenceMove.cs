using System.Numerics;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>A sequence of the side that takes over and what it has to go past. Pure.</summary>
/// <param name="To">The sequence.</param>
/// <param name="Left">The last values of the side that is left: handed out, or right before what its sequence would begin with.</param>
internal sealed record SequenceMove(KnownSequence To, IReadOnlyList<BigInteger> Left)
{
    /// <summary>Those that may have to be moved: one whose partner has handed out values or begins further on, and one whose column may hold more than either knows.</summary>
    /// <param name="pairs">Sequences of the side that is left with those that take their places.</param>
    /// <param name="taking">All of the side that takes over: one that nobody numbers with on the other side counts on from what its column holds.</param>
    public static IReadOnlyList<SequenceMove> Of(IReadOnlyList<SequencePair> pairs, IReadOnlyList<KnownSequence> taking)
    {
        var partners = pairs.SelectMany(pair => pair.To.Select(to => (to.Name, pair.From))).ToLookup(pair => pair.Name, pair => pair.From);
        return
        [
            .. taking.Select(to => new SequenceMove(to, [.. partners[to.Name].Select(from => Before(from, to)).OfType<BigInteger>()]))
                .Where(move => move.Left.Count > 0 || (move.To.Indexed.Count > 0 && !move.To.Cycles)),
        ];
    }

    /// <summary>Where nobody ever called either sequence, and the one that takes over begins no sooner, there is nothing to get past.</summary>
    private static BigInteger? Before(KnownSequence from, KnownSequence to) => (from.Last, from.Coming, to.Last, to.Coming) switch
    {
        ({ } last, _, _, _) => last,
        (_, { } coming, null, { } own) when (to.Increment > 0 ? own >= coming : own <= coming) => null,
        (_, { } coming, _, _) => (BigInteger)coming - from.Increment,
        _ => null,
    };
}
