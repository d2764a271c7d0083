namespace CdcMigrator.Postgres.Apply;

/// <summary>How far one source transaction was applied to a keyless table. Within a transaction LSNs never decrease; rows of one COPY share one.</summary>
/// <param name="Lsn">LSN of its last change applied.</param>
/// <param name="Run">Connector's run that sent it last.</param>
/// <param name="Seen">Changes at that LSN which that run has sent.</param>
/// <param name="Applied">Changes at that LSN applied, whoever sent them.</param>
internal readonly record struct KeylessTransaction(ulong Lsn, ulong Run, int Seen, int Applied);
