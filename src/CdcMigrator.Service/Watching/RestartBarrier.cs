namespace CdcMigrator.Service.Watching;

/// <summary>What keeps a connector that has failed from being restarted.</summary>
/// <param name="Why">A sentence, without its end.</param>
/// <param name="Fix">What to do.</param>
/// <param name="Passes">Whether it is restarted once that is over, if a restart is left.</param>
internal sealed record RestartBarrier(string Why, string Fix, bool Passes = false);
