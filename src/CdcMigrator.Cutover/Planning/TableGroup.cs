namespace CdcMigrator.Cutover.Planning;

/// <summary>Tables that foreign keys hold together: they move together or not at all.</summary>
/// <param name="Tables">By name.</param>
/// <param name="Rows">Rows of all.</param>
/// <param name="Bytes">Bytes of all, with indexes.</param>
/// <param name="Share">Part of the bytes of all groups, from 0 to 1.</param>
public sealed record TableGroup(IReadOnlyList<string> Tables, long Rows, long Bytes, double Share);
