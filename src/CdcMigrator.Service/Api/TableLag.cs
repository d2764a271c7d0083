namespace CdcMigrator.Service.Api;

/// <summary>Lag of one table's topic.</summary>
/// <param name="Table">Source table.</param>
/// <param name="Topic">Its topic.</param>
/// <param name="Partitions">Partitions of the topic; 0 where it does not exist.</param>
/// <param name="Records">Records not yet applied.</param>
/// <param name="Seconds">Age of the oldest change not yet applied.</param>
public sealed record TableLag(string Table, string Topic, int Partitions, long Records, double Seconds);
