namespace CdcMigrator.UnitTests.Cutover;

/// <summary>Every interleaving of the protocol's steps at small size: up to three attempts (a cutover, the way back and over again, or some that compete), a keeper, an application.</summary>
public sealed class ProtocolTests
{
    [Theory]
    [InlineData(2, 4)]
    [InlineData(3, 2)]
    public void No_interleaving_opens_two_sides_or_loses_an_acknowledged_write(int attempts, int mostWrites)
    {
        var (broken, states) = Explore(ProtocolFlaw.None, attempts, mostWrites);
        Assert.Null(broken);
        Assert.True(states > 10_000, $"only {states} states were reached");
    }

    [Theory]
    [InlineData(ProtocolFlaw.PositionBeforeFence, "write 1 was acknowledged, and the open side has 0")]
    [InlineData(ProtocolFlaw.NoBarrier, "write 1 was acknowledged, and the open side has 0")]
    [InlineData(ProtocolFlaw.FreezeAfterOpen, "was acknowledged, and the open side has")]
    [InlineData(ProtocolFlaw.AimAfterOpen, "the sides end with")]
    [InlineData(ProtocolFlaw.UndoIgnoresSeal, "two open sides")]
    [InlineData(ProtocolFlaw.SealIgnoresOwner, "write 1 was acknowledged, and the open side has 0")]
    [InlineData(ProtocolFlaw.OpenIgnoresEpoch, "two open sides")]
    [InlineData(ProtocolFlaw.NoKeeper, "after recovery")]
    public void Every_flaw_is_found(ProtocolFlaw flaw, string broken) => Assert.Contains(broken, Explore(flaw, attempts: 2, mostWrites: 3).Broken, StringComparison.Ordinal);

    [Fact]
    public void A_side_that_comes_back_open_from_an_older_copy_is_shut_and_the_one_that_was_opened_later_stays_open() =>
        Assert.Null(Explore(ProtocolFlaw.None, attempts: 2, mostWrites: 2, (model, state) => model.BrokenByOlderCopy(state)).Broken);

    [Fact]
    public void A_side_that_takes_over_and_comes_back_older_between_seal_and_opening_is_opened_with_all_it_had_or_not_at_all() =>
        Assert.Null(Explore(ProtocolFlaw.None, attempts: 1, mostWrites: 4, loses: true).Broken ?? Explore(ProtocolFlaw.None, attempts: 2, mostWrites: 2, loses: true).Broken);

    [Theory]
    [InlineData(ProtocolFlaw.OpenIgnoresProgress, "was acknowledged, and the open side has")]
    [InlineData(ProtocolFlaw.OpenBeyondEnds, "was acknowledged, and the open side has")]
    public void Flaws_that_only_a_loss_shows_are_found(ProtocolFlaw flaw, string broken) =>
        Assert.Contains(broken, Explore(flaw, attempts: 1, mostWrites: 4, loses: true).Broken, StringComparison.Ordinal);

    /// <summary>Breadth first, so that what is broken is shown by a shortest history.</summary>
    private static (string? Broken, int States) Explore(
        ProtocolFlaw flaw, int attempts, int mostWrites, Func<ProtocolModel, ProtocolState, string?>? more = null, bool loses = false)
    {
        var model = new ProtocolModel(flaw, mostWrites, loses);
        var start = new ProtocolState(attempts);
        var seen = new HashSet<string>(StringComparer.Ordinal) { start.Key };
        var waiting = new Queue<ProtocolState>([start]);
        while (waiting.TryDequeue(out var state))
        {
            if ((ProtocolModel.Broken(state) ?? model.Unrecovered(state) ?? more?.Invoke(model, state)) is { } broken)
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
