namespace CdcMigrator.Connect.Rest;

/// <summary>A connector class installed on the workers.</summary>
/// <param name="Class">Java class.</param>
/// <param name="Type"><c>source</c> or <c>sink</c>.</param>
/// <param name="Version">Its version: for Debezium <c>3.5.0.Final</c>.</param>
public sealed record ConnectorPlugin(string Class, string Type, string Version);
