namespace CdcMigrator.UnitTests.Cutover;

/// <summary>Whether a side takes writes.</summary>
public enum Gate
{
    Open,
    Closed,
    Sealed,
}
