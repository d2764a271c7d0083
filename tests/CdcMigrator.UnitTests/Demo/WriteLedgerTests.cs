using CdcMigrator.Embedded.Workload;
using Microsoft.Extensions.Time.Testing;

namespace CdcMigrator.UnitTests.Demo;

public sealed class WriteLedgerTests
{
    private static readonly RowKey Row = new("orders", "7");

    private readonly FakeTimeProvider time = new();
    private readonly WriteLedger ledger;

    public WriteLedgerTests() => ledger = new WriteLedger(time);

    [Fact]
    public void An_acknowledged_write_must_be_there_with_its_rows()
    {
        var entry = Intend(digest: "a");
        ledger.Acknowledge(entry);

        Assert.Equal(1, ledger.Acknowledged);
        Assert.True(Judge([entry.Receipt], (Row, "a")).Kept);
        Assert.Equal([entry.Receipt], Judge([], (Row, "a")).LostReceipts);
        Assert.Equal([Row], Judge([entry.Receipt], (Row, "b")).WrongRows);
        Assert.Equal([Row], Judge([entry.Receipt]).WrongRows);
    }

    [Fact]
    public void A_deleted_row_must_not_come_back()
    {
        var entry = Intend(digest: null);
        ledger.Acknowledge(entry);

        Assert.True(Judge([entry.Receipt]).Kept);
        Assert.Equal([Row], Judge([entry.Receipt], (Row, "a")).WrongRows);
    }

    [Fact]
    public void A_refused_write_leaves_the_former_state_and_must_not_be_there()
    {
        ledger.Adopt(new RowState(Row, "before"));
        var entry = Intend(digest: "after");
        ledger.Abandon(entry);

        Assert.Equal(0, ledger.Acknowledged);
        Assert.True(Judge([], (Row, "before")).Kept);
        Assert.Equal([entry.Receipt], Judge([entry.Receipt], (Row, "before")).GhostReceipts);
    }

    [Fact]
    public void A_write_in_doubt_whose_receipt_is_found_counts_as_promised()
    {
        var entry = Intend(digest: "a");
        ledger.Doubt(entry);
        ledger.Resolve(entry, receiptFound: true);

        Assert.Equal((0, 1), (ledger.Acknowledged, ledger.FoundCommitted));
        Assert.Equal(WriteOutcome.FoundCommitted, entry.Outcome);
        Assert.Equal([entry.Receipt], Judge([], (Row, "a")).LostReceipts);
    }

    [Fact]
    public void A_write_in_doubt_without_a_receipt_never_happened()
    {
        ledger.Adopt(new RowState(Row, "before"));
        var entry = Intend(digest: "after");
        ledger.Doubt(entry);
        ledger.Resolve(entry, receiptFound: false);

        Assert.True(Judge([], (Row, "before")).Kept);
        Assert.False(Judge([entry.Receipt], (Row, "after")).Kept);
    }

    [Fact]
    public void Nothing_is_said_while_a_write_is_undecided()
    {
        var entry = Intend(digest: "a");
        Assert.Throws<InvalidOperationException>(ledger.Expectation);
        ledger.Doubt(entry);
        Assert.Throws<InvalidOperationException>(ledger.Expectation);
        Assert.Equal(1, ledger.Undecided);
        ledger.Resolve(entry, receiptFound: true);
        Assert.Equal(0, ledger.Undecided);
        Assert.Single(ledger.Expectation().Receipts);
    }

    [Fact]
    public void A_writer_intends_nothing_new_while_its_last_write_is_undecided()
    {
        ledger.Doubt(Intend(digest: "a"));
        Assert.Throws<InvalidOperationException>(() => Intend(digest: "b"));
        Assert.NotNull(Intend(digest: "c", writer: 1));
    }

    [Fact]
    public void A_write_is_decided_once()
    {
        var entry = Intend(digest: "a");
        Assert.Throws<InvalidOperationException>(() => ledger.Resolve(entry, receiptFound: false));
        ledger.Acknowledge(entry);
        Assert.Throws<InvalidOperationException>(() => ledger.Abandon(entry));
        Assert.Throws<InvalidOperationException>(() => ledger.Doubt(entry));
    }

    [Fact]
    public void The_later_write_of_a_row_is_the_one_expected()
    {
        ledger.Acknowledge(Intend(digest: "a"));
        ledger.Acknowledge(Intend(digest: null));
        ledger.Acknowledge(Intend(digest: "c"));
        Assert.Equal("c", ledger.Expectation().Rows[Row]);
    }

    [Fact]
    public void The_outage_runs_from_the_last_write_of_the_old_side_to_the_first_of_the_new()
    {
        Write("source", writer: 0, afterMs: 0);
        Write("source", writer: 1, afterMs: 50);
        Assert.Null(ledger.Outage("source", "target"));
        Write("target", writer: 1, afterMs: 300);
        Write("target", writer: 0, afterMs: 40);
        Write("target", writer: 0, afterMs: 1000);

        Assert.Equal(TimeSpan.FromMilliseconds(300), ledger.Outage("source", "target"));
        Assert.Equal(TimeSpan.FromMilliseconds(390), ledger.LongestOutage("source", "target"));
        Assert.Equal((2, 3), (ledger.AcknowledgedBy("source"), ledger.AcknowledgedBy("target")));
    }

    private void Write(string side, int writer, int afterMs)
    {
        time.Advance(TimeSpan.FromMilliseconds(afterMs));
        ledger.Acknowledge(Intend("a", writer, side));
    }

    private LedgerEntry Intend(string? digest, int writer = 0, string side = "source")
    {
        var entry = new LedgerEntry(Guid.NewGuid(), writer, 1, side, [new RowState(Row, digest)]);
        ledger.Intend(entry);
        return entry;
    }

    private LedgerVerdict Judge(Guid[] receipts, params (RowKey Row, string Digest)[] rows) =>
        ledger.Expectation().Judge(receipts.ToHashSet(), rows.ToDictionary(row => row.Row, row => row.Digest));
}
