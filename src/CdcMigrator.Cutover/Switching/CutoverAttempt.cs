using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Cutover.Switching;

/// <summary>One attempt to leave a side.</summary>
/// <param name="Token">Its identity: no other attempt's fence, seal or undo is its own.</param>
/// <param name="Epoch">Its number, above what both sides have seen.</param>
/// <param name="Direction">Which way: forward leaves the source of the migration file, back leaves its target.</param>
/// <param name="Actor">Who asked for it.</param>
/// <param name="Rehearsal">Lift the fence again instead of sealing.</param>
public sealed record CutoverAttempt(string Token, long Epoch, MigrationDirection Direction, string Actor, bool Rehearsal)
{
    /// <summary>Whether the attempt has to be one that can be turned round.</summary>
    public ReturnWay Return { get; init; }
}
