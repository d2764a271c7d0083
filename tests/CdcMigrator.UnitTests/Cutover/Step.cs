namespace CdcMigrator.UnitTests.Cutover;

/// <summary>Where an attempt is.</summary>
public enum Step
{
    Idle,
    Numbered,
    Closed,
    Positioned,
    Drained,
    Aimed,
    Sealed,
    Opened,
    Over,
}
