using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Service.Api;

/// <summary>Asks for an attempt.</summary>
/// <param name="Migration">Name of the migration: whoever asks knows what they ask for.</param>
/// <param name="Direction">Which way.</param>
/// <param name="Rehearsal">Do everything up to the seal, then lift the fence.</param>
/// <param name="Actor">Who asks, for the journal.</param>
/// <param name="NoReturn">Go back although there will be no way to the target again.</param>
public sealed record CutoverRequest(string Migration, MigrationDirection Direction, bool Rehearsal, string Actor, bool NoReturn = false);
