namespace CdcMigrator.Cutover.Planning;

/// <summary>The steps of a move in one piece while nothing is written. Pure.</summary>
internal static class RunbookBigBang
{
    public static string Steps(RunbookFacts facts) => $"""
        ## Preparation

        | step | command | done when |
        |---|---|---|
        | survey the source | `cdcm audit -f {facts.File} --report audit.md` | values the target does not have, orphans and tables left out are decided on |
        | make the target | {(facts.IsPostgres ? "`pg_dump --schema-only` of the source into the target" : "by the application's migrations, types by docs/types-mariadb.md")} | schema, extensions, roles and grants are there |
        | write the comparison | queries of counts and sums, one a table, for both sides | they agree on a copy |

        ## Rehearsal

        Copy a restored backup of the source with the commands and on the machines of the day. Predicted: {facts.Dump} for dump and restore, {facts.Verification} to compare; allowed: {facts.Allowed}.
        Where the sum is over the limit, do not set a date: `cdcm plan -f {facts.File}` says what else there is.

        ## T-7

        - [ ] The rehearsal stayed within {facts.Allowed}.
        - [ ] Schema changes of the source are frozen until the end.
        - [ ] Backups of both sides have been restored once.
        - [ ] Message T-7 is sent.

        ## T-1

        - [ ] The target is empty; disks have room.
        - [ ] Batch jobs of the day are moved. Who is there is written down.
        - [ ] Message T-1 is sent.

        ## T0

        | # | step | command | done when |
        |---:|---|---|---|
        | 1 | message T0; stop the application, jobs and schedulers | – | nothing is connected but you |
        | 2 | deny writes on the source | – | a write as the application's role fails |
        | 3 | copy | {(facts.IsPostgres ? "`pg_dump --format=directory --jobs=4`, `pg_restore --jobs=4`" : "the rehearsed export and import")} | it ends without a message of an error |
        | 4 | compare | the queries of the preparation | counts and sums of every table agree |
        | 5 | ANALYZE; sequences; materialized views | – | each sequence is past its column's greatest value |
        | 6 | point of no return: open the target, switch the application's address | – | the application's own test writes and reads it back |
        | 7 | message done | – | sent |

        ## Rollback

        Before 6: lift the denial on the source and start the application there; nothing was lost. After 6: what was written to the target since is not in the source. Turn back only where that can be
        given up or written again, or where rows are lost; else mend forward. Only the lead calls it.

        """;
}
