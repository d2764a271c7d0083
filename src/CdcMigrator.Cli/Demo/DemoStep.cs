namespace CdcMigrator.Cli.Demo;

/// <summary>One step of a demo.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Detail">What came of it.</param>
/// <param name="Ms">How long it took, milliseconds.</param>
internal sealed record DemoStep(string Name, string Detail, double Ms);
