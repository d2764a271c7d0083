namespace CdcMigrator.UnitTests.Cutover;

/// <summary>What the keeper found to do.</summary>
public enum Repair
{
    None,
    Undo,
    Open,
    Shut,
}
