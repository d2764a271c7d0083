namespace CdcMigrator.Cutover.Planning;

/// <summary>Ways to move a database.</summary>
public enum Strategy
{
    /// <summary>Stop writes, copy everything, start on the other side.</summary>
    BigBang,

    /// <summary>Copy and follow while the source is written; stop writes for the last moment only.</summary>
    ChangeDataCapture,

    /// <summary>The application writes both sides until one is left.</summary>
    DualWrite,

    /// <summary>Group after group of tables, each by change data capture.</summary>
    Strangler,
}
