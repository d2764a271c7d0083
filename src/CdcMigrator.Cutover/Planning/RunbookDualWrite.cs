namespace CdcMigrator.Cutover.Planning;

/// <summary>The steps of a move in which the application writes both sides. Pure.</summary>
internal static class RunbookDualWrite
{
    public static string Steps(RunbookFacts facts) => $"""
        ## Preparation

        | step | command | done when |
        |---|---|---|
        | survey the source | `cdcm audit -f {facts.File} --report audit.md` | errors are mended |
        | change the application | – | it writes the source first, then the target; a write that fails on the target is kept and written again; reads come from the source; a switch decides which side counts |
        | numbers | – | keys are chosen once and written to both sides, not by each side's sequence |
        | copy what was there before | `cdcm connector register -f {facts.File}`, `cdcm run -f {facts.File}` | the copy is over, about {facts.Snapshot}; the service is stopped before the application writes the target itself |

        ## Rehearsal

        Fail writes on the target on purpose: the source's users notice nothing, and the rows are mended. Switch reads there and back.

        ## T-7

        - [ ] Both sides have been written for a week; counts and sums of every table agree each day.
        - [ ] Message T-7 is sent.

        ## T-1

        - [ ] No write waits to be written again. Counts and sums agree.
        - [ ] `cdcm benchmark -f {facts.File}` ends with 0.
        - [ ] Message T-1 is sent.

        ## T0

        | # | step | done when |
        |---:|---|---|
        | 1 | message T0; hold writes for a moment | no write is under way |
        | 2 | compare what was written last | both sides agree |
        | 3 | point of no return: the target counts, the source is written second | the application's own test writes and reads it back |
        | 4 | message done | sent |

        ## Rollback

        Switch back: the source has every write as long as it is written second. Before that make sure that nothing waits to be written again. Only the lead calls it.

        """;
}
