namespace CdcMigrator.Service.Api;

/// <summary>Asks that the migration be ended.</summary>
/// <param name="Migration">Its name: whoever asks knows what they ask for.</param>
/// <param name="Actor">Who asks, for the journal.</param>
public sealed record CompletionRequest(string Migration, string Actor);
