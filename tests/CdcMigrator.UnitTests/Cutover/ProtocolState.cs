namespace CdcMigrator.UnitTests.Cutover;

/// <summary>
/// The protocol's world at one moment: two databases, one key that is overwritten, the logs both ways, attempts and a keeper of which each may stop between any
/// two steps. Value semantics by <see cref="Key"/>.
/// </summary>
public sealed class ProtocolState
{
    /// <summary>The beginning: one side is open, the other takes only what is applied.</summary>
    public ProtocolState(int attempts)
    {
        Steps = new Step[attempts];
        Tokens = new int[attempts];
        Leaving = new int[attempts];
        Positions = new int[attempts];
        Aims = new int[attempts];
        Array.Fill(Positions, -1);
    }

    /// <summary>Gate, epoch and value of each side.</summary>
    public Gate[] Gates { get; } = [Gate.Open, Gate.Sealed];

    public int[] Epochs { get; } = [1, 0];

    public int[] Values { get; } = [0, 0];

    /// <summary>What each side committed, in order: applications' writes and what was applied to it.</summary>
    public List<int>[] Logs { get; } = [[], []];

    /// <summary>How far each side's log was applied to the other.</summary>
    public int[] Applied { get; } = [0, 0];

    /// <summary>Whether each side's log is applied to the other. Kept on the side it is applied to, with how far.</summary>
    public bool[] Streams { get; } = [true, false];

    /// <summary>A transaction that has passed the gate of a side and has not committed: its side, or -1.</summary>
    public int Writing { get; set; } = -1;

    /// <summary>Writes begun, and the last one acknowledged.</summary>
    public int Writes { get; set; }

    public int Acknowledged { get; set; }

    /// <summary>Attempts: where each is, its number, the side it leaves, the position it drains to, and where the way back begins.</summary>
    public Step[] Steps { get; }

    public int[] Tokens { get; }

    public int[] Leaving { get; }

    public int[] Positions { get; }

    public int[] Aims { get; }

    /// <summary>Noted with the seal of each side: how far its log must have been applied to the other one before that is opened.</summary>
    public int[] Ends { get; } = [0, 0];

    /// <summary>The side that came back between seal and opening without what it had committed last, or -1.</summary>
    public int Lost { get; set; } = -1;

    /// <summary>Whether the way back was stopped for it.</summary>
    public bool Stopped { get; set; }

    /// <summary>What the keeper has read and may act on much later.</summary>
    public Repair Repair { get; set; }

    public int KeeperSide { get; set; }

    public int KeeperToken { get; set; }

    /// <summary>Number of the other side, where both were read open.</summary>
    public int KeeperLater { get; set; }

    /// <summary>Equal exactly for equal states.</summary>
    public string Key => string.Join(',', (IEnumerable<int>)[
        (int)Gates[0], (int)Gates[1], .. Epochs, .. Values, Logs[0].Count, .. Logs[0], .. Logs[1], .. Applied, Streams[0] ? 1 : 0, Streams[1] ? 1 : 0, Writing, Writes, Acknowledged,
        .. Steps.Select(step => (int)step), .. Tokens, .. Leaving, .. Positions, .. Aims, (int)Repair, KeeperSide, KeeperToken, KeeperLater, .. Ends, Lost, Stopped ? 1 : 0]);

    public ProtocolState Copy()
    {
        var copy = new ProtocolState(Steps.Length)
        {
            Writing = Writing,
            Writes = Writes,
            Acknowledged = Acknowledged,
            Repair = Repair,
            KeeperSide = KeeperSide,
            KeeperToken = KeeperToken,
            KeeperLater = KeeperLater,
            Lost = Lost,
            Stopped = Stopped,
        };
        Gates.CopyTo(copy.Gates, 0);
        Epochs.CopyTo(copy.Epochs, 0);
        Values.CopyTo(copy.Values, 0);
        Applied.CopyTo(copy.Applied, 0);
        Streams.CopyTo(copy.Streams, 0);
        Ends.CopyTo(copy.Ends, 0);
        Steps.CopyTo(copy.Steps, 0);
        Tokens.CopyTo(copy.Tokens, 0);
        Leaving.CopyTo(copy.Leaving, 0);
        Positions.CopyTo(copy.Positions, 0);
        Aims.CopyTo(copy.Aims, 0);
        copy.Logs[0].AddRange(Logs[0]);
        copy.Logs[1].AddRange(Logs[1]);
        return copy;
    }
}
