namespace CdcMigrator.Connect.Rest;

/// <summary>The Connect worker that answered.</summary>
/// <param name="Version">Version of Kafka Connect.</param>
/// <param name="KafkaClusterId">Id of the Kafka cluster it writes to; compare it with the one the service reads.</param>
public sealed record ConnectWorker(string Version, string KafkaClusterId);
