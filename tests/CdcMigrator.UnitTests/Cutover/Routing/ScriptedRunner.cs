using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.UnitTests.Cutover.Routing;

/// <summary>Answers hooks by their names, in turn; what has no answer left succeeds.</summary>
internal sealed class ScriptedRunner : IHookRunner
{
    private readonly Dictionary<string, Queue<HookRun>> answers = [];

    public List<string> Ran { get; } = [];

    public void Answer(string hook, params HookRun[] runs) => answers[hook] = new Queue<HookRun>(runs);

    public Task<HookRun> RunAsync(RoutingHook hook, HookMoment moment, HookContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Ran.Add($"{moment} {hook.Name}");
        return Task.FromResult(answers.TryGetValue(hook.Name, out var queue) && queue.TryDequeue(out var run) ? run : new HookRun(null, "exit code 0", ""));
    }

    public Task<Fault?> CheckAsync(RoutingHook hook, CancellationToken cancellationToken) =>
        Task.FromResult(hook.Name == "wrong" ? new Fault(FaultKind.Configuration, "hook-not-started", "wrong") : null);
}
