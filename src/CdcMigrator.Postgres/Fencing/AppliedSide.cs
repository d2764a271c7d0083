using CdcMigrator.Domain.Faults;
using Npgsql;

namespace CdcMigrator.Postgres.Fencing;

/// <summary>Refuses to write rows of the other side to a side that takes applications' writes, or is being left by them: they would go over newer ones, and nobody would carry that over.</summary>
internal static class AppliedSide
{
    /// <summary>
    /// Asked inside the transaction that writes: until its end the side's row is locked against an opening, which waits, and then sees what was written; one that came before is seen here. A side that was never
    /// prepared for a cutover takes nothing but what is applied to it.
    /// </summary>
    /// <param name="connection">The session, in its transaction.</param>
    /// <param name="migration">Name of the migration.</param>
    /// <param name="what">What would be done, for the message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">NotAllowed <c>side-in-use</c>, <c>no-way-back</c>.</exception>
    public static async Task RequireAsync(NpgsqlConnection connection, string migration, string what, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select case when no_return and state = 'sealed' then 'no-return' else state end from cdc_migrator.fence_state where migration = $1 for share", connection)
        {
            Parameters = { new NpgsqlParameter { Value = migration } },
        };
        if (await command.ExecuteScalarAsync(cancellationToken) is string state && state != "sealed")
        {
            if (state == "no-return")
            {
                throw new FaultException(FaultKind.NotAllowed, "no-way-back", $"This side was left without a way back: nothing is applied to it any more, and {what} would not make it follow", "'cdcm cutover status' says what can be done");
            }

            throw new FaultException(
                FaultKind.NotAllowed, "side-in-use",
                state == "open" ? $"Applications write to this side now: {what} would put older rows of the other side in place of theirs" : $"An attempt to leave this side is under way: {what} would change what it proves",
                "'cdcm cutover status' shows which side takes writes. Rows that differ are mended on the side that was left, by the direction into it: with '/back' behind the service's address (--server URL/back) while applications write to the target");
        }
    }
}
