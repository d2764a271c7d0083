using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.Postgres.Preflight;

/// <summary>What both sides of a direction are called, by the migration file: on the way back the target is the one that is read.</summary>
/// <param name="Read">The side whose log is read.</param>
/// <param name="Written">The side that is written to.</param>
internal readonly record struct SideWords(string Read, string Written)
{
    /// <summary>As the file reads.</summary>
    public static SideWords Forward { get; } = new("source", "target");

    /// <summary>Those of a direction.</summary>
    public static SideWords Of(MigrationDirection direction) => direction == MigrationDirection.Forward ? Forward : new SideWords("target", "source");
}
