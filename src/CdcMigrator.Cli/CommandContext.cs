using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Domain.Faults;

namespace CdcMigrator.Cli;

/// <summary>What all verbs share: terminal, environment, common options, and the one place where an exception becomes text and exit code.</summary>
internal sealed class CommandContext(Terminal terminal, Func<string, string?> environment)
{
    public Terminal Terminal { get; } = terminal;

    public Func<string, string?> Environment { get; } = environment;

    public CommonOptions Options { get; } = new(environment);

    /// <summary>Gives a verb its work. The work returns an exit code or throws.</summary>
    public void Handle(Command command, Func<Invocation, Task<ExitCode>> work) =>
        command.SetAction(async (parsed, cancellationToken) => (int)await RunAsync(new Invocation(this, parsed, cancellationToken), work));

    private async Task<ExitCode> RunAsync(Invocation call, Func<Invocation, Task<ExitCode>> work)
    {
        try
        {
            return await work(call);
        }
        catch (OperationCanceledException) when (call.Cancellation.IsCancellationRequested)
        {
            Terminal.Error.WriteLine("interrupted");
            return ExitCode.Interrupted;
        }
        catch (FaultException e)
        {
            Terminal.Fault(e.Fault);
            Trace(call, e);
            return e.Fault.Kind.ToExitCode();
        }
        catch (Exception e)
        {
            Terminal.Fault($"internal error: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}", call.Verbose ? "" : "run it again with -v for details");
            Trace(call, e);
            return ExitCode.Internal;
        }
    }

    private void Trace(Invocation call, Exception exception)
    {
        if (call.Verbose)
        {
            Terminal.Error.WriteLine(exception);
        }
    }
}
