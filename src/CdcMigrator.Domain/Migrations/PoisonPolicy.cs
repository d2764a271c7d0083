namespace CdcMigrator.Domain.Migrations;

/// <summary>What a lane does with a record it can never apply.</summary>
public enum PoisonPolicy
{
    /// <summary>Stop the lane and name the record.</summary>
    Halt,

    /// <summary>Put the record and every later one of its row aside as dead letters, and go on with the others.</summary>
    DeadLetter,
}
