using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Cutover.Switching;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Api;
using CdcMigrator.Service.Reporting;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm cutover check|prepare|start|status|abort|sql|complete</c>, <c>cdcm rollback</c> and <c>cdcm rehearse</c>.</summary>
internal static class CutoverCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static Command Create(CommandContext context) => new Verb(
        "cutover",
        "Makes the target take over: fence, drain, proof, one point of no return. A failure before it lifts the fence.",
        ("cdcm cutover check", "what stands in the way"),
        ("cdcm cutover prepare", "once, days before: fences (lifted) and the way back"),
        ("cdcm cutover start", "switches; asks first"))
    {
        Check(context),
        Prepare(context),
        Switch(
            context, "start", MigrationDirection.Forward, rehearsal: false,
            "Makes the target take over. Exit code: 0 done, 3 refused by the gate or by the proof, 5 timed out and undone, 6 not allowed now. Only 0 means that applications write to the target.",
            ("cdcm cutover start", ""), ("cdcm cutover start --yes -o json | jq .writeOutageMs", "for scripts")),
        Plan(context),
        Status(context),
        Evidence(context),
        Abort(context),
        LiftScript(context),
        Complete(context),
    };

    /// <summary><c>cdcm rollback</c>.</summary>
    public static Command CreateRollback(CommandContext context) => Switch(
        context, "rollback", MigrationDirection.Back, rehearsal: false,
        "Goes back to the source, with everything that was written to the target since: the same steps the other way. Exit codes as of 'cdcm cutover start'.",
        ("cdcm rollback", ""), ("cdcm rollback --yes -o json", "for scripts"), ("cdcm rollback --no-return", "in an emergency, where the log from source to target does not work any more"));

    /// <summary><c>cdcm rehearse</c>.</summary>
    public static Command CreateRehearsal(CommandContext context) => Switch(
        context, "rehearse", MigrationDirection.Forward, rehearsal: true,
        "Does everything up to the point of no return, then lifts the fence: writes wait as long as in the cutover, and go on where they were.",
        ("cdcm rehearse", ""), ("cdcm rehearse --yes -o json | jq .steps", "how long each step took"));

    private static Verb Check(CommandContext context)
    {
        var command = new Verb(
            "check",
            "Shows the gate: every criterion with what is measured, what is allowed and what to do. Exit code: 0 open, 3 closed.",
            ("cdcm cutover check", ""),
            ("cdcm cutover check --back", "of the way back, once the target has taken over"),
            ("cdcm cutover check -o json", "the body of /api/gate, for scripts"))
        {
            Back,
        };
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            var (report, _) = await service.GetAsync<GateReport>(call.Value(Back) ? "/back/api/gate" : "/api/gate", call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(report);
            }
            else
            {
                GateView.Show(call.Terminal, report);
            }

            return report.Open ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static Option<bool> Back { get; } = new("--back") { Description = "Of the way back, from the target to the source" };

    private static Verb Prepare(CommandContext context)
    {
        var command = new Verb(
            "prepare",
            "Creates the fences of both sides (the source's lifted: applications notice nothing; the target's closed, so that only the migration writes there) and registers the connector of the way back. May be repeated.",
            ("cdcm cutover prepare", ""));
        context.Handle(command, async call =>
        {
            using var service = new ServiceClient(call.Server, call.Timeout > Patience ? call.Timeout : Patience);
            Show(call, await service.PostAsync<CutoverStatus>("/api/cutover/prepare", new { }, call.Cancellation));
            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Status(CommandContext context)
    {
        var command = new Verb(
            "status",
            "Shows which side takes writes, and the last attempt to change that.",
            ("cdcm cutover status", ""),
            ("cdcm cutover status -o json | jq .target.state", "for scripts"));
        context.Handle(command, async call =>
        {
            using var service = call.Connect();
            Show(call, (await service.GetAsync<CutoverStatus>("/api/cutover", call.Cancellation)).Value);
            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Abort(CommandContext context)
    {
        var offline = new Option<bool>("--offline") { Description = "Ask the databases of the migration file, not the service: for when no service runs" };
        var file = CommonOptions.File();
        file.Required = false;
        var command = new Verb(
            "abort",
            "Calls an attempt off and lifts its fence. Nothing behind the point of no return: 'cdcm rollback' is the way back from there. Exit code 6 where there is nothing to call off.",
            ("cdcm cutover abort", ""),
            ("cdcm cutover abort --offline -f migration.yaml", "without a service"))
        {
            offline, file,
        };
        context.Handle(command, async call =>
        {
            if (call.Value(offline))
            {
                if (call.Value(file) is null)
                {
                    throw new FaultException(FaultKind.Configuration, "usage", "without a service it must be said which databases are meant", "Give the migration file with -f");
                }

                Show(call, await OfflineCutover.AbortAsync(call.Load(file), call.Cancellation));
                return ExitCode.Done;
            }

            using var service = new ServiceClient(call.Server, call.Timeout > Patience ? call.Timeout : Patience);
            Show(call, await service.PostAsync<CutoverStatus>("/api/cutover/abort", new { }, call.Cancellation));
            return ExitCode.Done;
        });
        return command;
    }

    private static Verb LiftScript(CommandContext context)
    {
        var file = CommonOptions.File();
        var remove = new Option<string?>("--remove")
        {
            Description = "Instead what removes the fence of this side (source or target) whatever its state, and ends what is applied to it: where the migration is given up, or the other side is lost for good. Asks no database",
            HelpName = "side",
        };
        remove.AcceptOnlyFromAmong("source", "target");
        var command = new Verb(
            "sql",
            "Prints what psql alone needs to lift a fence as it is now, for each side: for when neither the service nor this program can be used. Changes nothing.",
            ("cdcm cutover sql -f migration.yaml", ""), ("cdcm cutover sql -f migration.yaml --remove target", "the source is lost for good"))
        {
            file, remove,
        };
        context.Handle(command, async call =>
        {
            var definition = call.Load(file);
            var scripts = call.Value(remove) is { } removed ? OfflineCutover.RemovalScript(definition, removed) : await OfflineCutover.ScriptsAsync(definition, call.Cancellation);
            if (call.IsJson)
            {
                call.Terminal.Json(scripts);
            }
            else
            {
                foreach (var (side, sql) in scripts)
                {
                    call.Terminal.Out.WriteLine($"-- {side}");
                    call.Terminal.Out.WriteLine(sql);
                }
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Complete(CommandContext context)
    {
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var command = new Verb(
            "complete",
            "Ends the migration once nobody wants to go back: deletes the connectors of both directions, drops their slots and publications and the target's fence; the source stays closed. May be repeated. "
            + "Exit code 6 unless the target takes writes and the source was left for good.",
            ("cdcm cutover complete", "asks first"), ("cdcm cutover complete --yes -o json", "for scripts"))
        {
            yes,
        };
        context.Handle(command, async call =>
        {
            using var service = new ServiceClient(call.Server, call.Timeout > Patience ? call.Timeout : Patience);
            var (before, _) = await service.GetAsync<CutoverStatus>("/api/cutover", call.Cancellation);
            Confirm(call, before.Migration, call.Value(yes), "there will be no way back to the source any more");
            Show(call, await service.PostAsync<CutoverStatus>(
                "/api/cutover/complete", new CompletionRequest(before.Migration, $"{System.Environment.UserName}@{System.Environment.MachineName}"), call.Cancellation));
            return ExitCode.Done;
        });
        return command;
    }

    private static Verb Switch(CommandContext context, string name, MigrationDirection direction, bool rehearsal, string description, params (string, string)[] examples)
    {
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var dry = new Option<bool>("--dry-run") { Description = "Show what would be done, on which side, and how long writes would wait; exit codes as of 'cdcm cutover plan'" };
        var noReturn = new Option<bool>("--no-return") { Description = "Go back for good: nothing is asked of the log that leads to the target, and there will be no way to it again but another migration" };
        var command = new Verb(name, description, examples) { yes, dry };
        if (direction == MigrationDirection.Back)
        {
            command.Add(noReturn);
        }

        context.Handle(command, async call =>
        {
            if (call.Value(dry))
            {
                return await PlanAsync(call, direction, rehearsal, call.Value(noReturn));
            }

            using var service = call.Connect();
            var (before, _) = await service.GetAsync<CutoverStatus>("/api/cutover", call.Cancellation);
            var end = call.Value(noReturn) ? ", and there will be no way to the target again" : "";
            Confirm(call, before.Migration, call.Value(yes), rehearsal ? "writes will wait for some seconds" : $"the {(direction == MigrationDirection.Forward ? "target" : "source")} will take over{end}");
            CutoverStatus begun;
            try
            {
                begun = await service.PostAsync<CutoverStatus>("/api/cutover/start", new CutoverRequest(before.Migration, direction, rehearsal, Actor, call.Value(noReturn)), call.Cancellation);
            }
            catch (FaultException exception) when (exception.Fault.Kind == FaultKind.Unreachable)
            {
                throw new FaultException(exception.Fault with { Fix = $"Where the answer was lost, the attempt may have begun: 'cdcm cutover status' shows it. {exception.Fault.Fix}" });
            }

            var told = 0;
            var now = await new AttemptFollower(service, begun, 2 * call.Timeout, call.Terminal).UntilOverAsync(
                status => told = call.IsJson ? told : CutoverView.Tell(call.Terminal, status, told), call.Cancellation);
            Show(call, now);
            return CodeOf(now);
        });
        return command;
    }

    private static Verb Plan(CommandContext context)
    {
        var command = new Verb(
            "plan",
            "Shows what an attempt would do now, step by step, on which side, and how long writes would wait. Changes nothing but markers it sends through both logs. "
            + "Exit code: 0 it could begin, 3 it would be refused, 2 a hook's program is missing, 5 a marker did not get through, 6 not in this phase (not prepared, beside an attempt, the wrong side, no way back).",
            ("cdcm cutover plan", ""), ("cdcm cutover plan --back", "of the way back"), ("cdcm cutover plan -o json | jq .predicted", "for scripts"))
        {
            Back,
        };
        context.Handle(command, call => PlanAsync(call, call.Value(Back) ? MigrationDirection.Back : MigrationDirection.Forward, rehearsal: false, noReturn: false));
        return command;
    }

    private static async Task<ExitCode> PlanAsync(Invocation call, MigrationDirection direction, bool rehearsal, bool noReturn)
    {
        using var service = new ServiceClient(call.Server, call.Timeout > Patience ? call.Timeout : Patience);
        var (before, _) = await service.GetAsync<CutoverStatus>("/api/cutover", call.Cancellation);
        var plan = await service.PostAsync<CutoverPlan>("/api/cutover/plan", new CutoverRequest(before.Migration, direction, rehearsal, Actor, noReturn), call.Cancellation);
        if (call.IsJson)
        {
            call.Terminal.Json(plan);
        }
        else
        {
            CutoverView.Show(call.Terminal, plan);
        }

        return plan.Fault is null ? ExitCode.Done : plan.Fault.Kind == FaultKind.NotAllowed ? ExitCode.Negative : plan.Fault.Kind.ToExitCode();
    }

    private static Verb Evidence(CommandContext context)
    {
        var format = new Option<string>("--format") { Description = "markdown or json", HelpName = "form", DefaultValueFactory = _ => "markdown" };
        format.AcceptOnlyFromAmong("markdown", "json");
        var attempt = new Option<string?>("--attempt") { Description = "Of this attempt; without it of the last one that was done, or of the last one where none was", HelpName = "token" };
        var file = CommonOptions.File();
        file.Required = false;
        var command = new Verb(
            "evidence",
            "Prints what an audit needs of an attempt: who confirmed it, servers, positions, offsets, rows and verdicts of each table, sequences, hooks, times; and the SQL with which psql alone checks each claim. With -f it asks the databases, not the service.",
            ("cdcm cutover evidence > evidence.md", ""),
            ("cdcm cutover evidence --format json -f migration.yaml", "without a service"))
        {
            format, attempt, file,
        };
        context.Handle(command, async call =>
        {
            CutoverEvidence evidence;
            if (call.Value(file) is not null)
            {
                evidence = await OfflineCutover.EvidenceAsync(call.Load(file), call.Value(attempt), call.Cancellation);
            }
            else
            {
                using var service = call.Connect();
                var query = call.Value(attempt) is { } token ? $"?attempt={Uri.EscapeDataString(token)}" : "";
                evidence = (await service.GetAsync<CutoverEvidence>($"/api/cutover/evidence{query}", call.Cancellation)).Value;
            }

            if (call.IsJson || call.Value(format) == "json")
            {
                call.Terminal.Json(evidence);
            }
            else
            {
                call.Terminal.Out.Write(EvidenceMarkdown.Render(evidence));
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static string Actor => $"{System.Environment.UserName}@{System.Environment.MachineName}";

    /// <summary>How a script learns what became of an attempt.</summary>
    internal static ExitCode CodeOf(CutoverStatus now) => now switch
    {
        // Whatever went wrong before: it may be undone, or done after all.
        { Phase: CutoverPhase.Unknown } => ExitCode.Unreachable,

        // The side that took over is open, whatever became of its hooks: they are named, and tried again.
        { Phase: CutoverPhase.Done } or { Phase: CutoverPhase.Rehearsed, Fault: null } => ExitCode.Done,
        { Fault.Code: "gate-closed" or "not-equal" or "over-budget" or AttemptFollower.Undone } => ExitCode.Negative,
        { Phase: CutoverPhase.Undone, Fault.Kind: FaultKind.TimedOut } => ExitCode.TimedOut,
        { Fault: { } fault } => fault.Kind.ToExitCode(),
        _ => ExitCode.Unreachable,
    };

    private static void Show(Invocation call, CutoverStatus now)
    {
        if (call.IsJson)
        {
            call.Terminal.Json(now);
        }
        else
        {
            CutoverView.Show(call.Terminal, now);
        }
    }

    /// <summary>A person types the migration's name; a script says --yes.</summary>
    private static void Confirm(Invocation call, string migration, bool yes, string what)
    {
        if (yes)
        {
            return;
        }

        if (!call.Terminal.IsInteractive)
        {
            throw new FaultException(FaultKind.Configuration, "not-confirmed", $"Nothing was done, for it is not confirmed that {what}", "Say --yes");
        }

        if (call.Terminal.Ask($"{what}. Type the migration's name to go on: ") != migration)
        {
            throw new FaultException(FaultKind.Configuration, "not-confirmed", "That is not the migration's name", $"Type {migration}");
        }
    }
}
