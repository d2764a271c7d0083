namespace CdcMigrator.Cutover.Planning;

/// <summary>The steps of a move by change data capture, of everything or of one group of tables. Pure.</summary>
internal static class RunbookCapture
{
    public static string Steps(RunbookFacts facts) => $"""
        {Groups(facts)}## Preparation

        | step | command | done when |
        |---|---|---|
        | survey the source | `cdcm audit -f {facts.File} --report audit.md` | every error is mended: {Blockers(facts)} |
        | check the file | `cdcm config validate -f {facts.File}` | it says valid |
        | make the schema in the target | {(facts.IsPostgres ? "`pg_dump --schema-only` of the source into the target" : "by the application's migrations, types by docs/types-mariadb.md")} | tables, keys, extensions, roles and grants are there; triggers are ordinary ones |
        | check everything | `cdcm preflight -f {facts.File}` | no error |
        {SelfTest(facts)}| room | – | the source's disk has {facts.SourceLog} free; Kafka has {PlanText.Bytes(facts.Plan.Sizing.KafkaBytes)} for each copy; retention of the topics is longer than an outage |
        | register the connector | `cdcm connector register -f {facts.File}` | `cdcm connector status -f {facts.File}` says RUNNING |
        | start the service, twice | `cdcm run -f {facts.File}` | `cdcm health ready` ends with 0 |
        | first copy, about {facts.Snapshot} | `cdcm status --watch` | snapshot done, lag within the limit for an hour of the busiest kind |
        | compare, about {facts.Verification} | `cdcm verify start --wait --timeout 24h` | exit code 0: every row was equal. Else `cdcm verify show` names the wrong rows with their columns |
        | mend what was found wrong, after its cause | `cdcm tables repair TABLE --all-wrong --dry-run`, then without `--dry-run` | exit code 0: every row is as the source has it; 3 names those that stay, with the reason. A table that is wrong in many rows: `cdcm tables resync TABLE --wait` |
        | check what rows alone do not show | `cdcm verify checks` | exit code 0: counts, rules, constraints, schemas, sequences and samples pass; else each line says what to do |
        | measure the application's queries, named under `benchmarks:` of the file | `cdcm benchmark -f {facts.File}` | exit code 0: every query passed, none is slower than its limit or gives another result; counts for the gate while it is no older than `cutover.verifiedWithin` |
        | watch | the dashboards and alerts in compose/ | lag, dead letters, slot and connector alert somebody who is awake |

        ## Rehearsal

        Do the day's steps against a copy of source and target, with the people and the order of the day.

        - Predicted time without writes: {facts.Predicted}; allowed: {facts.Allowed}. Write down what each step took; where the sum is over the limit, do not set a date.
        {Rehearse(facts)}- Practise the rollback from every step once.
        - Kill the service once while it works, and once while it drains: it goes on by itself.

        ## T-7

        - [ ] Errors of `cdcm audit -f {facts.File}` and `cdcm preflight -f {facts.File}`: none.
        - [ ] `cdcm lag` stays within the limit at the busiest hour.
        - [ ] A full comparison found every row equal (`cdcm verify show`); `cdcm verify checks` ends with 0.
        {Prepare(facts)}- [ ] Schema changes of the source are frozen until the end.
        - [ ] Backups of both sides have been restored once.
        - [ ] Message T-7 is sent.

        ## T-1

        - [ ] `cdcm verify start --wait --timeout 24h` ends with 0; its age counts for the gate.
        - [ ] `cdcm dlq list` is empty; `cdcm status` names no finding.
        - [ ] `cdcm benchmark -f {facts.File}` ends with 0; `cdcm cutover check` shows no criterion that fails but those of the day.
        - [ ] Batch jobs, imports and vacuums of the day are moved; no transaction is open for minutes.
        - [ ] ANALYZE was run in the target; its caches are warm.
        - [ ] Who is there, who is called, and the limit at which to turn back are written down.
        - [ ] Message T-1 is sent.

        ## T0

        | # | step | command | done when |
        |---:|---|---|---|
        | 1 | go or no go | `cdcm cutover check` | exit code 0: the gate is open, every criterion PASS |
        | 2 | message T0 | – | sent |
        | 3 | stop batch jobs and schedulers | – | none runs |
        {Switch(facts)}| 11 | switch triggers, jobs and grants to their final state; refresh materialized views | – | each is checked by name |
        | 12 | look | dashboards of the application | errors and latency as before, for 30 minutes |
        | 13 | message done | – | sent |

        Keep the source closed to writes, its slot and the log until the rollback window is over. Then drop the connector and its slot (docs/cli.md).

        ## Rollback

        | when | what is seen | what to do |
        |---|---|---|
        | before 9 | any step fails, or {facts.Allowed} are over | {Undo(facts)}; nothing was lost, the stream goes on |
        | after 9 | rows are lost or wrong and cannot be told apart | {WayBack(facts)} |
        | after 9 | reads are more than twice as slow as before (`cdcm benchmark -f {facts.File}`) and cannot be mended in the window | the same |
        | after 9 | reads are slower, but less than that | stay; plans, indexes, ANALYZE |
        | after 9 | single rows differ | stay; mend them forward from the source, which is still there |

        Only the lead calls it. Whoever sees a trigger says so at once.

        """;

    private static string Groups(RunbookFacts facts) => facts.Plan.Recommended != Strategy.Strangler ? "" : $"""
        ## Order of the groups

        One migration file, connector and runbook a group, smallest first:

        {string.Join('\n', facts.Plan.Groups.Select((group, i) => $"{i + 1}. {string.Join(", ", group.Tables)} ({group.Rows:N0} rows, {PlanText.Bytes(group.Bytes)})"))}

        Between two groups: a week without a finding. The application reads and writes each table on one side only.


        """;

    private static string Blockers(RunbookFacts facts) => facts.Plan.Blockers.Count == 0 ? "there is none now" : $"{facts.Plan.Blockers.Count} now";

    /// <summary>The self-test compares two PostgreSQL servers.</summary>
    private static string SelfTest(RunbookFacts facts) => !facts.IsPostgres ? "" :
        $"| can the comparison be relied on? | `cdcm verify self-test -f {facts.File}` | exit code 0: each kind of wrong row was found on these very servers, and no equal one reported |\n";

    private static string Rehearse(RunbookFacts facts) => !facts.IsPostgres ? "" :
        "- `cdcm cutover check` until the gate is open, then `cdcm rehearse`: everything up to the point of no return, then the fence is lifted. Exit code 0; it prints how long each step took, and writes waited that long.\n";

    private static string Prepare(RunbookFacts facts) => !facts.IsPostgres ? "" :
        "- [ ] `cdcm cutover prepare` was run: fences on both sides, the source's lifted, and the way back stands; `cdcm cutover status` shows the source open.\n";

    private static string Switch(RunbookFacts facts) => facts.IsPostgres
        ? """
          | 4 | look at the gate once more | `cdcm cutover check` | exit code 0: the gate is open |
          | 5 | switch: fence, drain, last proof, sequences, seal | `cdcm cutover start` | it asks for the migration's name, then prints every step with its time. Only exit code 0 means that applications write to the target; 3 and 5: the fence was lifted again, nothing happened |
          | 6 | where it hangs or the terminal is lost | `cdcm cutover status` | it says which side takes writes; an attempt before its point of no return is undone by itself when its lease is over |
          | 7 | proof | `cdcm cutover status -o json` | the target is open, the source sealed; keep the output |
          | 8 | sequences | `cdcm verify checks sequences --all` | each of the target's is past the source's last value |
          | 9 | point of no return | – | it lay within step 5; the lead says aloud that writes go to the target |
          | 10 | switch the application's address, if `cutover.route` does not | – | the application's own test writes and reads it back |

          """
        : $"""
          | 4 | deny writes on the source, for everybody but the connector's role | – | writers in flight and prepared transactions have ended; a write as the application's role fails; the clock of the outage runs |
          | 5 | marker and position | a row in the source's fence table, then the binlog's position (docs/cli.md) | the marker is committed and the position was read after that |
          | 6 | prove the drain | `POST /api/drain` with both | it answers `drained: true` |
          | 7 | last comparison | `cdcm verify show` and `cdcm verify checks` | no wrong row, no dirty key left; every check passes |
          | 8 | sequences | `cdcm verify checks sequences --all` | each is past the source's last value, with a margin |
          | 9 | point of no return | – | the lead says so aloud: from here on writes go to the target |
          | 10 | open the target to the application; switch its address | – | the application's own test writes and reads it back |

          """;

    private static string Undo(RunbookFacts facts) => facts.IsPostgres ? "`cdcm cutover abort` lifts the fence; say so, find out why" : "lift the fence on the source, say so, find out why";

    private static string WayBack(RunbookFacts facts) => facts.IsPostgres
        ? "`cdcm rollback`: the same steps the other way, with everything that was written to the target since; exit code 0 means that the source takes writes (`cdcm cutover check --back` beforehand)"
        : "stop writes on the target, bring back by hand what was written there since the switch (there is no stream to a MariaDB or MySQL source), open the source";
}
