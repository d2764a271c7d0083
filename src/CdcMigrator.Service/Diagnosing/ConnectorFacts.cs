using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Diagnosing;

/// <summary>What Kafka Connect says of one direction's connector.</summary>
/// <param name="Connect">Where it is registered.</param>
/// <param name="Status">Its state; null where Connect knows none, or does not answer.</param>
/// <param name="Unreachable">Why Connect could not be asked.</param>
internal sealed record ConnectorFacts(ConnectSection Connect, ConnectorStatus? Status, Fault? Unreachable);
