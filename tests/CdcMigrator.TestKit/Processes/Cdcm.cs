namespace CdcMigrator.TestKit.Processes;

/// <summary>Runs the built command line, the same program users run.</summary>
public static class Cdcm
{
    /// <summary>Path of cdcm.dll beside the tests: the project reference puts it there.</summary>
    public static string Assembly { get; } = Path.Combine(AppContext.BaseDirectory, "cdcm.dll");

    /// <summary>Starts a verb that goes on until it is stopped, as <c>run</c>.</summary>
    public static ProcessRun Start(params string[] arguments) => ProcessRun.Start("dotnet", [Assembly, .. arguments]);

    /// <summary>Runs a verb to its end.</summary>
    public static Task<ProcessResult> RunAsync(params string[] arguments) => ProcessRun.RunAsync("dotnet", [Assembly, .. arguments]);
}
