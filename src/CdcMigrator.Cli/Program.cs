using CdcMigrator.Cli;
using CdcMigrator.Cli.Output;

using var signals = new Interruption();
return await new CommandLine(Terminal.OfProcess(), Environment.GetEnvironmentVariable).RunAsync(args, signals.Token);
