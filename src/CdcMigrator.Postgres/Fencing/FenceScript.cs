using System.Globalization;
using CdcMigrator.Domain.Fencing;
using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>
/// What the machine does, as SQL for <c>psql</c>: for the night on which nothing else works. Each is one transaction that does what it says only from the state it was written for, and else says so and
/// changes nothing, so that it may be run late, twice, or beside a service that lives. Run by a role that owns the tables; where these are locked it fails and is run again.
/// </summary>
public static class FenceScript
{
    /// <summary>Lifts the fence of a side as far as it may be lifted: a closed side is opened again, one that was left for good is not.</summary>
    /// <param name="record">The side's row as it was read; null where it has none.</param>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="tables">Tables as they are called on that side.</param>
    public static string Lift(FenceRecord? record, string migration, IReadOnlyList<TableName> tables) => record?.State switch
    {
        FenceState.Closed => Transaction(
            $"Opens a side again that attempt {record.Token} of migration {migration} has closed and not left.",
            migration, "fence-undone", "state = 'open'", $"token = {Literal(record.Token)} and state = 'closed'",
            "this attempt does not hold the side closed any more: it was opened before, or left for good",
            Toggle(tables)),
        FenceState.Sealed => Refusal(
            $"This side of migration {migration} was left for good (attempt {Named(record.Token)}, number {Number(record.Epoch)}). Lifting its fence would leave two sides that take writes, and what is written here would be lost.",
            $"Where the other side does not take writes either, run the script that opens that one. To come back here: 'cdcm rollback'. To give the migration up, or where the other side is lost for good: {Removal}."),
        FenceState.Open => Transaction(
            $"Takes away what denies writes on a side of migration {migration} that is open.",
            migration, noted: null, "state = 'open'", "state = 'open'",
            "the side is not open any more: print the script again",
            Toggle(tables)),
        _ => Refusal($"Migration {migration} has not prepared this side: there is no fence of it here.", $"Where triggers of it are left over: {Removal}."),
    };

    /// <summary>Opens the side that takes over, to be run there: only once the other side was left for good. What is applied from that side ends in the same transaction.</summary>
    /// <param name="left">The row of the side that was left, as it was read: sealed, with the larger number.</param>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="tables">Tables as they are called on the side that takes over.</param>
    /// <param name="terms">What that side had when the other one was left, and must have; null where nothing was noted.</param>
    public static string Open(FenceRecord left, string migration, IReadOnlyList<TableName> tables, OpeningTerms? terms)
    {
        ArgumentNullException.ThrowIfNull(left);
        return left.State != FenceState.Sealed
            ? Refusal($"The other side of migration {migration} was not left for good: opening this one would leave two sides that take writes.", "Print the script again once it is sealed.")
            : Transaction(
                $"Opens the side that takes over in migration {migration}, behind attempt {Named(left.Token)} that has left the other one for good.",
                migration, "side-opened", $"state = 'open', epoch = {Number(left.Epoch)}, token = {Literal(left.Token)}, lease_until = '-infinity'", $"state = 'sealed' and epoch < {Number(left.Epoch)}",
                "the side is open by this attempt already, or a later one has had it",
                $"{(terms is null ? "" : Whole(migration, terms))}{string.Join('\n', Directions.EndStatements.Select(statement => $"{statement.Replace("$1", Literal(migration), StringComparison.Ordinal)};"))}\n{Toggle(tables)}");
    }

    /// <summary>The opening freezes the lanes: what a server that came back without its last transactions has not applied by then is never applied.</summary>
    private static string Whole(string migration, OpeningTerms terms) => $"""
        do $body$ begin
            if ({OpeningCheck.CountBehind(migration, terms, Literal)}) > 0 then
                raise exception using message = 'nothing was changed: this side came back without its last transactions, and lacks changes that it had when the other one was left', hint = 'Start the service: it applies them, and opens the side then.';
            end if;
        end $body$;

        """;

    /// <summary>
    /// Removes the fence and its row, whatever the state, and ends what is applied to the side: for one whose migration is over or given up, or whose other side is lost for good. Needs nothing but names, so that neither side
    /// has to answer while it is printed. Whether the other side takes writes is for whoever runs it to know.
    /// </summary>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="tables">Tables as they are called on that side.</param>
    public static string Remove(string migration, IReadOnlyList<TableName> tables) => $"""
        {Head($"Removes the fence of migration {migration} from this side: applications can write here again, and nothing of the migration is applied here any more. NOT while the other side takes writes that are to be kept.")}
        begin;
        {Settings}
        {Loop(tables, "drop trigger %2$I on %1$s", "")}
        do $body$ begin
            if pg_catalog.to_regclass('cdc_migrator.fence_state') is not null then
                insert into cdc_migrator.journal (migration, actor, event, evidence)
                    select migration, 'psql (' || current_user || ')', 'fence-removed', pg_catalog.jsonb_build_object('state', state, 'token', token, 'epoch', epoch) from cdc_migrator.fence_state where migration = {Literal(migration)};
                delete from cdc_migrator.fence_state where migration = {Literal(migration)};
                {string.Join("\n        ", Directions.EndStatements.Select(statement => $"{statement.Replace("$1", Literal(migration), StringComparison.Ordinal)};"))}
            end if;
        end $body$;
        commit;

        """;

    private const string Removal = "the script that 'cdcm cutover sql -f FILE --remove source' prints, or with 'target' for that side";

    private const string Settings = "set local lock_timeout = '5s'; set local synchronous_commit = on;";

    private static string Transaction(string purpose, string migration, string? noted, string change, string condition, string otherwise, string work) => $"""
        {Head(purpose)}
        begin;
        {Settings}
        do $body$ begin
            update cdc_migrator.fence_state set changed_at = pg_catalog.clock_timestamp(), {change} where migration = {Literal(migration)} and {condition};
            if not found then
                raise exception {Literal($"nothing was changed: {otherwise}")};
            end if;
        end $body$;
        {(noted is null ? "" : Note(migration, noted))}{work}
        commit;

        """;

    private static string Note(string migration, string noted) => $"""
        insert into cdc_migrator.journal (migration, actor, event, evidence)
            select migration, 'psql (' || current_user || ')', {Literal(noted)}, pg_catalog.jsonb_build_object('token', token, 'epoch', epoch, 'lease_until', lease_until)
            from cdc_migrator.fence_state where migration = {Literal(migration)};

        """;

    private static string Refusal(string why, string next) => $"""
        {Head(why)}
        do $body$ begin
            raise exception using message = {Literal($"nothing was changed: {why}")}, hint = {Literal(next)};
        end $body$;

        """;

    private static string Head(string purpose) => $"""
        -- {OneLine(purpose)}
        -- psql -X -f FILE 'connection of this side'
        \set ON_ERROR_STOP on
        """;

    /// <summary>Where a table's lock cannot be had, and the triggers look at the row, they stay enabled: writes pass.</summary>
    private static string Toggle(IReadOnlyList<TableName> tables) => Loop(tables, "alter table %1$s disable trigger %2$I", "and g.tgenabled <> 'D'", $"""

            exception when lock_not_available then
                if exists (select from cdc_migrator.fence_state where state <> 'open') or not (select prosecdef from pg_catalog.pg_proc where oid = pg_catalog.to_regprocedure('{FenceTriggers.Function}')) then
                    raise;
                end if;
                raise notice 'a table is locked: its triggers stay enabled for now, and let writes pass';
        """);

    /// <summary>Over the fence's triggers of the tables and all below them, as they are when it is run.</summary>
    private static string Loop(IReadOnlyList<TableName> tables, string statement, string condition, string otherwise = "") => $"""
        do $body$
        declare one text;
        begin
            for one in
                with recursive named as (
                    select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                    join (values {string.Join(", ", tables.Select(table => $"({Literal(table.Schema)}, {Literal(table.Name)})"))}) as t(s, r) on n.nspname = t.s and c.relname = t.r
                    union
                    select i.inhrelid from named join pg_catalog.pg_inherits i on i.inhparent = named.oid)
                select pg_catalog.format({Literal(statement)}, pg_catalog.format('%I.%I', n.nspname, c.relname), g.tgname)
                from named join pg_catalog.pg_class c using (oid) join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                join pg_catalog.pg_trigger g on g.tgrelid = c.oid and g.tgfoid = pg_catalog.to_regprocedure('{FenceTriggers.Function}') and not {FenceTriggers.IsCopy} {condition}
            loop
                execute one;
            end loop;{otherwise}
        end $body$;
        """;

    private static string Named(string token) => token.Length == 0 ? "none" : token;

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static string Literal(string text) =>
        text.Contains('\\', StringComparison.Ordinal) ? $"E'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'" : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
