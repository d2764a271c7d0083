namespace CdcMigrator.UnitTests.Cutover;

/// <summary>Every interleaving of the protocol's steps at small size: two attempts (a cutover and a way back, or two that compete), a keeper, an application.</summary>
public sealed class ProtocolTests
{
    [Fact]
    public void No_interleaving_opens_two_sides_or_loses_an_acknowledged_write()
    {
        var (broken, states) = Explore(ProtocolFlaw.None, mostWrites: 3);
        Assert.Null(broken);
        Assert.True(states > 10_000, $"only {states} states were reached");
    }

    [Theory]
    [InlineData(ProtocolFlaw.PositionBeforeFence, "write 1 was acknowledged, and the open side has 0")]
    [InlineData(ProtocolFlaw.NoBarrier, "write 1 was acknowledged, and the open side has 0")]
    [InlineData(ProtocolFlaw.OpenBeforeFreeze, "the sides end with")]
    [InlineData(ProtocolFlaw.UndoIgnoresSeal, "two open sides")]
    [InlineData(ProtocolFlaw.SealIgnoresOwner, "write 1 was acknowledged, and the open side has 0")]
    [InlineData(ProtocolFlaw.OpenIgnoresEpoch, "two open sides")]
    [InlineData(ProtocolFlaw.ArmIgnoresEpoch, "the sides end with")]
    [InlineData(ProtocolFlaw.ReleaseIgnoresEpoch, "was acknowledged, and the open side has")]
    [InlineData(ProtocolFlaw.NoKeeper, "after recovery")]
    public void Every_flaw_is_found(ProtocolFlaw flaw, string broken) => Assert.Contains(broken, Explore(flaw, mostWrites: 3).Broken, StringComparison.Ordinal);

    /// <summary>Breadth first, so that what is broken is shown by a shortest history.</summary>
    private static (string? Broken, int States) Explore(ProtocolFlaw flaw, int mostWrites)
    {
        var model = new ProtocolModel(flaw, mostWrites);
        var start = new ProtocolState();
        var seen = new HashSet<string>(StringComparer.Ordinal) { start.Key };
        var waiting = new Queue<ProtocolState>([start]);
        while (waiting.TryDequeue(out var state))
        {
            if ((ProtocolModel.Broken(state) ?? model.Unrecovered(state)) is { } broken)
            {
                return ($"{broken}: {state.Key}", seen.Count);
            }

            foreach (var next in model.Next(state))
            {
                if (seen.Add(next.Key))
                {
                    waiting.Enqueue(next);
                }
            }
        }

        return (null, seen.Count);
    }
}
