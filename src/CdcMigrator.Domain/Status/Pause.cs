namespace CdcMigrator.Domain.Status;

/// <summary>That nothing is applied for now, in no process, because a person said so.</summary>
/// <param name="By">Who.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">Since when, by the clock of the side that is applied to.</param>
public sealed record Pause(string By, string Reason, DateTimeOffset At)
{
    /// <inheritdoc />
    public override string ToString() => $"paused by {By} since {At:u}: {Reason}";
}
