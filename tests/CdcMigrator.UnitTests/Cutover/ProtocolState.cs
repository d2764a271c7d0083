namespace CdcMigrator.UnitTests.Cutover;

/// <summary>
/// The protocol's world at one moment: two databases, one key that is overwritten, the logs both ways, two attempts and a keeper that may each stop between
/// any two steps. Value semantics by <see cref="Key"/>.
/// </summary>
public sealed class ProtocolState
{
    /// <summary>Gate, epoch and value of each side.</summary>
    public Gate[] Gates { get; } = [Gate.Open, Gate.Sealed];

    public int[] Epochs { get; } = [1, 0];

    public int[] Values { get; } = [0, 0];

    /// <summary>What each side committed, in order: applications' writes and what was applied to it.</summary>
    public List<int>[] Logs { get; } = [[], []];

    /// <summary>How far each side's log was applied to the other.</summary>
    public int[] Applied { get; } = [0, 0];

    /// <summary>The side whose log is applied to the other, and the attempt that turned it so. Kept in one row.</summary>
    public int StreamFrom { get; set; }

    public int StreamEpoch { get; set; } = 1;

    /// <summary>A transaction that has passed the gate of a side and has not committed: its side, or -1.</summary>
    public int Writing { get; set; } = -1;

    /// <summary>Writes begun, and the last one acknowledged.</summary>
    public int Writes { get; set; }

    public int Acknowledged { get; set; }

    public Step[] Steps { get; } = [Step.Idle, Step.Idle];

    public int[] Tokens { get; } = [0, 0];

    public int[] Leaving { get; } = [0, 0];

    public int[] Positions { get; } = [-1, -1];

    /// <summary>What the keeper has read and may act on much later.</summary>
    public Repair Repair { get; set; }

    public int KeeperSide { get; set; }

    public int KeeperToken { get; set; }

    /// <summary>Equal exactly for equal states.</summary>
    public string Key => string.Join(',', (IEnumerable<int>)[
        (int)Gates[0], (int)Gates[1], .. Epochs, .. Values, Logs[0].Count, .. Logs[0], Logs[1].Count, .. Logs[1], .. Applied, StreamFrom, StreamEpoch, Writing, Writes,
        Acknowledged, (int)Steps[0], (int)Steps[1], .. Tokens, .. Leaving, .. Positions, (int)Repair, KeeperSide, KeeperToken]);

    public ProtocolState Copy()
    {
        var copy = new ProtocolState
        {
            StreamFrom = StreamFrom,
            StreamEpoch = StreamEpoch,
            Writing = Writing,
            Writes = Writes,
            Acknowledged = Acknowledged,
            Repair = Repair,
            KeeperSide = KeeperSide,
            KeeperToken = KeeperToken,
        };
        for (var i = 0; i < 2; i++)
        {
            (copy.Gates[i], copy.Epochs[i], copy.Values[i], copy.Applied[i]) = (Gates[i], Epochs[i], Values[i], Applied[i]);
            (copy.Steps[i], copy.Tokens[i], copy.Leaving[i], copy.Positions[i]) = (Steps[i], Tokens[i], Leaving[i], Positions[i]);
            copy.Logs[i].AddRange(Logs[i]);
        }

        return copy;
    }
}
