namespace CdcMigrator.Cutover.Switching;

/// <summary>Whether what the side that takes over commits has to come to the side that is left, so that an attempt can be turned round later.</summary>
public enum ReturnWay
{
    /// <summary>An attempt without one is refused, or undone.</summary>
    Required,

    /// <summary>It is set where it works; where it does not, the side is left without one.</summary>
    IfItWorks,

    /// <summary>The side is left without one. The log of that direction is not asked for anything.</summary>
    None,
}
