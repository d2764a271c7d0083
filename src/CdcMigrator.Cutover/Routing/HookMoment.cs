namespace CdcMigrator.Cutover.Routing;

/// <summary>When a hook is run.</summary>
public enum HookMoment
{
    /// <summary>Before writes are denied. A failure undoes the cutover.</summary>
    BeforeFence,

    /// <summary>Once the new side takes writes. A failure undoes nothing; it is tried again.</summary>
    AfterOpen,

    /// <summary>Once the cutover was undone. A failure is told.</summary>
    OnAbort,
}
