using System.CommandLine;
using CdcMigrator.Cli.Output;
using CdcMigrator.Connect;
using CdcMigrator.Connect.Rest;
using CdcMigrator.Connect.Templates;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Connectors;
using Spectre.Console;

namespace CdcMigrator.Cli.Commands;

/// <summary><c>cdcm connector render|register|status|pause|resume</c>.</summary>
internal static class ConnectorCommand
{
    public static Command Create(CommandContext context) => new Verb(
        "connector",
        "Renders, registers and watches the source connector. Needs no running service.",
        ("cdcm connector render -f migration.yaml", "what register would put, without the password"),
        ("cdcm connector register -f migration.yaml", "create or update it, and wait until it runs"))
    {
        Render(context),
        Register(context),
        Status(context),
        Switch(context, "pause", "Pauses reading. The source keeps its WAL meanwhile.", (client, name, cancellation) => client.PauseAsync(name, cancellation)),
        Switch(context, "resume", "Ends a pause.", (client, name, cancellation) => client.ResumeAsync(name, cancellation)),
    };

    private static Option<bool> JsonSchemas() => new("--json-schemas") { Description = "JSON records carry their schema: three to ten times the size; cdcm needs none" };

    private static Verb Render(CommandContext context)
    {
        var (file, schemas) = (CommonOptions.File(), JsonSchemas());
        var reference = new Option<string>("--password-reference")
        {
            Description = "Written in place of the password: a reference to a config provider of the workers, like ${env:SOURCE_PASSWORD}",
            HelpName = "reference",
        };
        var reveal = new Option<bool>("--reveal") { Description = "Print the password as it is" };
        var command = new Verb(
            "render",
            "Prints the connector's settings as JSON for PUT /connectors/<name>/config. The password is hidden unless asked for.",
            ("cdcm connector render -f migration.yaml --password-reference '${env:SOURCE_PASSWORD}'", ""))
        {
            file, schemas, reference, reveal,
        };
        context.Handle(command, call =>
        {
            var settings = ConnectorTemplate.Render(
                call.Load(file), new ConnectorTemplateOptions { JsonSchemas = call.Value(schemas), PasswordReference = call.Value(reference) });
            call.Terminal.Out.Write(ConnectorSettings.ToJson(call.Value(reveal) ? settings : ConnectorSettings.Redacted(settings)));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Verb Register(CommandContext context)
    {
        var (file, schemas) = (CommonOptions.File(), JsonSchemas());
        var command = new Verb(
            "register",
            "Prepares the source (fence table, publication), puts the connector with faithful settings, and waits until it and its task run. May be repeated.",
            ("cdcm connector register -f migration.yaml", ""),
            ("cdcm connector register -f migration.yaml --timeout 5m", "a slow Connect worker"))
        {
            file, schemas,
        };
        context.Handle(command, async call =>
        {
            var definition = call.Load(file);
            var status = await ConnectorRegistration.RunAsync(
                definition, new ConnectorTemplateOptions { JsonSchemas = call.Value(schemas) }, call.Timeout,
                step => call.Terminal.Error.WriteLine(step), call.Cancellation);
            Show(call, status);
            return status.IsRunning ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static Verb Status(CommandContext context)
    {
        var file = CommonOptions.File();
        var command = new Verb(
            "status", "Shows the connector and its task. Exit code 0: it runs, 3: it does not.", ("cdcm connector status -f migration.yaml -o json", ""))
        {
            file,
        };
        context.Handle(command, async call =>
        {
            var connect = ConnectorRegistration.Require(call.Load(file));
            using var client = new ConnectClient(connect.Url);
            var status = await client.GetStatusAsync(connect.Connector, call.Cancellation);
            Show(call, status);
            return status.IsRunning ? ExitCode.Done : ExitCode.Negative;
        });
        return command;
    }

    private static Verb Switch(CommandContext context, string name, string description, Func<ConnectClient, string, CancellationToken, Task> work)
    {
        var file = CommonOptions.File();
        var command = new Verb(name, description, ($"cdcm connector {name} -f migration.yaml", "")) { file };
        context.Handle(command, async call =>
        {
            ConnectSection connect = ConnectorRegistration.Require(call.Load(file));
            using var client = new ConnectClient(connect.Url);
            await work(client, connect.Connector, call.Cancellation);
            call.Terminal.Error.WriteLine($"connector {connect.Connector}: {name} asked for; 'cdcm connector status' shows when it is done");
            return ExitCode.Done;
        });
        return command;
    }

    private static void Show(Invocation call, ConnectorStatus status)
    {
        if (call.IsJson)
        {
            call.Terminal.Json(new
            {
                name = status.Name,
                state = status.State,
                running = status.IsRunning,
                cause = status.Cause,
                tasks = status.Tasks.Select(task => new { id = task.Id, state = task.State, worker = task.Worker, cause = task.Cause }),
            });
            return;
        }

        call.Terminal.Line($"[bold]{Sheet.Text(status.Name)}[/]  {Sheet.Text(status.State)} on {Sheet.Text(status.Worker)}");
        var grid = Sheet.Of(">task", "state", "worker", "cause");
        foreach (var task in status.Tasks)
        {
            grid.AddRow(Sheet.Number(task.Id), Sheet.Text(task.State), Sheet.Text(task.Worker), Sheet.Text(task.Cause));
        }

        call.Terminal.Show(grid);
        if (!status.IsRunning)
        {
            call.Terminal.Fault(
                $"connector {status.Name} does not run{(status.Cause.Length > 0 ? $": {status.Cause}" : "")}",
                "mend the cause and run 'cdcm connector register -f FILE' again; Connect's log has the whole trace");
        }
    }
}
