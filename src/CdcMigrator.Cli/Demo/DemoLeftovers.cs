namespace CdcMigrator.Cli.Demo;

/// <summary>What <c>--keep</c> left running, and how to handle it.</summary>
/// <param name="Folder">Folder of servers, migration file and logs.</param>
/// <param name="StatusPage">Address of the service.</param>
/// <param name="ServicePid">Process id of the service.</param>
/// <param name="StartService">Command that starts the service again.</param>
/// <param name="Source">Address of the source for psql.</param>
/// <param name="Target">Address of the target for psql.</param>
/// <param name="StopAll">Command that ends everything and removes the folder.</param>
internal sealed record DemoLeftovers(
    string Folder, string StatusPage, int? ServicePid, string StartService, string Source, string Target, string StopAll);
