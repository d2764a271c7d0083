namespace CdcMigrator.Service.Api;

/// <summary>Waivers that were not revoked: the body of <c>/api/waivers</c>.</summary>
/// <param name="Migration">Name of the migration.</param>
/// <param name="GateOpen">Whether the gate is open with them.</param>
/// <param name="Waivers">The waivers, by criterion.</param>
/// <param name="Waivable">Criteria that may be waived, with what a waiver accepts.</param>
public sealed record WaiversReport(string Migration, bool GateOpen, IReadOnlyList<WaiverReport> Waivers, IReadOnlyDictionary<string, string> Waivable);
