namespace CdcMigrator.Cutover.Planning;

/// <summary>What is said to whom, and when. Pure.</summary>
internal static class RunbookMessages
{
    public static string Render(RunbookFacts facts) => $"""
        ## Communication

        `<…>` is to be filled in. To: everybody who uses or runs the application; T0, rollback and done also to the status page.

        ### T-7

        > Subject: {facts.Plan.Migration}: database move on <date>, <time> (<zone>)
        >
        > On <date> at <time> we move the database of {facts.Plan.Migration} to a new server. {Outage(facts)} Reading works all the time <or: does not work in that time>.
        > What you have to do: do not plan imports, deployments or schema changes between <from> and <to>. If that cannot be, answer until <date>.
        > Contact: <name>, <telephone>.

        ### T-1

        > Subject: {facts.Plan.Migration}: database move tomorrow, <time> (<zone>)
        >
        > All checks are green: both sides were compared on <date>, <rows> rows, no difference. The move begins tomorrow at <time>. {Outage(facts)}
        > Batch jobs stop at <time>. You can follow it at <address>. If we do not move, you hear of it by <time>.

        ### T0

        > Subject: {facts.Plan.Migration}: database move begins now
        >
        > We begin. Writes stop in a few minutes. The next message comes when it is over, at the latest at <time>.

        ### Rollback

        > Subject: {facts.Plan.Migration}: database move was taken back
        >
        > We have gone back to the former database at <time>, because <what was seen>. {(facts.Plan.Recommended == Strategy.BigBang ? "Writes between <time> and <time>: <what became of them>." : "No write was lost <or: writes between <time> and <time>: what became of them>.")}
        > The application works as before. A new date follows by <date>. You need not do anything.

        ### Done

        > Subject: {facts.Plan.Migration}: database move is done
        >
        > Since <time> {facts.Plan.Migration} works on the new database. Writes stood for <measured time>. <Rows> rows were compared; none differs.
        > We watch closely until <date>, and can go back until then. Tell <name>, <telephone>, what looks odd to you, slow pages too.

        """;

    private static string Outage(RunbookFacts facts) => facts.Plan.Recommended == Strategy.BigBang
        ? $"The application stands for about {facts.Predicted}, at most {facts.Allowed}."
        : $"Saving may be refused for about {facts.Predicted}, at most {facts.Allowed}.";
}
