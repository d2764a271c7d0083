namespace CdcMigrator.Domain.Checks;

/// <summary>A trigger of a user.</summary>
/// <param name="Name">Its name.</param>
/// <param name="FiresWhenApplying">It fires in the replica role too, so that it would write what the source's trigger has written and the log brings.</param>
/// <param name="IsEnabled">It fires for the application.</param>
public sealed record SchemaTrigger(string Name, bool FiresWhenApplying, bool IsEnabled);
