namespace CdcMigrator.Cutover.Switching;

/// <summary>Steps of an attempt, in their order. Up to and without <see cref="Seal"/> every one of them is undone by lifting the fence; from there on there is only forward.</summary>
public enum CutoverStep
{
    /// <summary>Both fences, the way back and the gate are looked at. Applications write as before.</summary>
    Prepare,

    /// <summary>Whatever routes applications is told to hold them back, where the migration file says how.</summary>
    Hold,

    /// <summary>The side that is left denies writes, behind every writer in flight. The outage begins.</summary>
    Fence,

    /// <summary>Everything that side committed is in the other one: proven by marker, slot and offsets.</summary>
    Drain,

    /// <summary>Every row that changed is compared; sequences are moved on; where the way back begins is known.</summary>
    Prove,

    /// <summary>The point of no return, one transaction on the side that is left.</summary>
    Seal,

    /// <summary>The other side takes writes. The outage ends for whoever goes there.</summary>
    Open,

    /// <summary>Applications are sent there.</summary>
    Route,
}
