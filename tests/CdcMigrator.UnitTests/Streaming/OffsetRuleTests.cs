using CdcMigrator.Streaming.Consuming;
using CsCheck;

namespace CdcMigrator.UnitTests.Streaming;

public sealed class OffsetRuleTests
{
    [Fact]
    public void The_next_offset_is_taken_and_older_ones_are_stale()
    {
        var rule = new OffsetRule(10);
        Assert.Equal(OffsetVerdict.Stale, rule.Judge(9));
        Assert.Equal(OffsetVerdict.Take, rule.Judge(10));
        rule.MoveTo(11);
        Assert.Equal(OffsetVerdict.Stale, rule.Judge(10));
        Assert.Equal(OffsetVerdict.Take, rule.Judge(11));
    }

    [Fact]
    public void A_hole_is_taken_only_when_the_broker_starts_behind_it_twice()
    {
        var rule = new OffsetRule(10);
        Assert.Equal(OffsetVerdict.Verify, rule.Judge(12));
        rule.Sought();
        Assert.Equal(OffsetVerdict.TakeAfterGap, rule.Judge(12));
    }

    [Fact]
    public void A_hole_that_closes_when_read_again_was_the_clients_fault()
    {
        var rule = new OffsetRule(10);
        Assert.Equal(OffsetVerdict.Verify, rule.Judge(12));
        rule.Sought();
        Assert.Equal(OffsetVerdict.Take, rule.Judge(10));
        rule.MoveTo(11);
        Assert.Equal(OffsetVerdict.Verify, rule.Judge(12));
    }

    [Fact]
    public void A_different_hole_has_to_be_proven_anew()
    {
        var rule = new OffsetRule(10);
        Assert.Equal(OffsetVerdict.Verify, rule.Judge(12));
        rule.Sought();
        Assert.Equal(OffsetVerdict.Verify, rule.Judge(11));
        rule.Sought();
        Assert.Equal(OffsetVerdict.TakeAfterGap, rule.Judge(11));
    }

    [Fact]
    public void Once_holes_are_proven_those_of_the_same_fetch_are_taken_until_the_next_seek()
    {
        var rule = new OffsetRule(10);
        rule.Judge(12);
        rule.Sought();
        rule.Judge(12);
        rule.MoveTo(13);
        Assert.Equal(OffsetVerdict.TakeAfterGap, rule.Judge(15));
        rule.MoveTo(16);
        rule.Sought();
        Assert.Equal(OffsetVerdict.Verify, rule.Judge(18));
    }

    /// <summary>A client that repeats, and drops what it pleases right after a seek, must not make a lane miss or repeat a record.</summary>
    [Fact]
    public void Whatever_the_client_drops_after_one_seek_no_record_is_missed_or_taken_twice() =>
        Gen.Select(Gen.Bool.Array[1, 60], Gen.Int[0, 6].Array[1, 40]).Sample((exists, faults) =>
        {
            var records = Enumerable.Range(0, exists.Length).Where(i => exists[i]).ToList();
            var rule = new OffsetRule(0);
            var taken = new List<int>();
            var turn = 0;
            var position = 0;
            var lossy = faults[0];
            while (position < exists.Length)
            {
                // A fault is not repeated by the seek that verifies it: it drops some records of one fetch.
                var next = records.FindIndex(offset => offset >= position);
                var fetched = next < 0 ? exists.Length : next + lossy < records.Count ? records[next + lossy] : exists.Length;
                lossy = 0;
                switch (rule.Judge(fetched))
                {
                    case OffsetVerdict.Verify:
                        rule.Sought();
                        position = (int)rule.Expected;
                        continue;
                    case OffsetVerdict.Take or OffsetVerdict.TakeAfterGap when fetched < exists.Length:
                        taken.Add(fetched);
                        rule.MoveTo(fetched + 1);
                        break;
                    case OffsetVerdict.TakeAfterGap or OffsetVerdict.Take:
                        rule.MoveTo(fetched);
                        break;
                }

                position = fetched + 1;
                if (++turn < faults.Length && faults[turn] is > 0 and var drop)
                {
                    // Paused and resumed: the lane seeks, and the client may lose records or repeat one.
                    rule.Sought();
                    position = drop == 6 ? Math.Max(0, (int)rule.Expected - 1) : (int)rule.Expected;
                    lossy = drop == 6 ? 0 : drop;
                }
            }

            Assert.Equal(records, taken);
        });
}
