using CdcMigrator.Connect.Rest;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Service.Watching;

namespace CdcMigrator.UnitTests.Service;

public sealed class ConnectorRulesTests
{
    private const string Base = "Connector shop-source, task 0 has failed: org.apache.kafka.connect.errors.ConnectException: gone";
    private const string Curl = "curl -X POST 'http://connect:8083/connectors/shop-source/restart?includeTasks=true&onlyFailed=true'";

    private static readonly ConnectSection Section = new(new Uri("http://user:s3cret@connect:8083/"), "shop-source");
    private static readonly ConnectorStatus Failed = Status("RUNNING", "FAILED");

    [Fact]
    public void A_connector_that_has_failed_says_what_becomes_of_it_and_what_to_do()
    {
        const string Mend = $"Mend the cause, then: {Curl}";
        const string Wait = $"Wait for it; where it fails again, mend the cause. At once: {Curl}";
        (RestartOutlook? Outlook, string Message, string Fix)[] told =
        [
            (null, Base, Mend),
            (new RestartOutlook(0, 0), Base, Mend),
            (new RestartOutlook(2, 7) { Next = TimeSpan.FromSeconds(9) }, $"{Base}. It is restarted by itself in 9 s (3 of 7 times)", Wait),
            (new RestartOutlook(2, 7) { Next = TimeSpan.Zero, IsAsked = true }, $"{Base}. It is being restarted by itself (3 of 7 times)", Wait),
            (new RestartOutlook(7, 7), $"{Base}. It was restarted by itself 7 times in a row, in vain", Mend),
            (new RestartOutlook(7, 7) { Refused = new Fault(FaultKind.Configuration, "connect-denied", "denied (403)") },
                $"{Base}. It was restarted by itself 7 times in a row, in vain. Kafka Connect did not take the last restart: denied (403)", Mend),
            (new RestartOutlook(1, 7) { Next = TimeSpan.Zero, Barrier = new RestartBarrier("It is not restarted while it is PAUSED", "resume") }, $"{Base}. It is not restarted while it is PAUSED", "resume"),

            // Where none is left none is promised; what a restart would do harm to stays so.
            (new RestartOutlook(7, 7) { Barrier = new RestartBarrier("It is restarted by itself once the source answers", "see", Passes: true) }, $"{Base}. It was restarted by itself 7 times in a row, in vain", Mend),
            (new RestartOutlook(7, 7) { Barrier = new RestartBarrier("It is not restarted by itself, for its slot is gone", "start over") }, $"{Base}. It is not restarted by itself, for its slot is gone", "start over"),
        ];
        Assert.All(told, expected =>
        {
            var fault = ConnectorRules.Failed(Section, Failed, expected.Outlook)!;
            Assert.Equal(("connector-failed", expected.Message, expected.Fix), (fault.Code, fault.Message, fault.Fix));
            Assert.DoesNotContain("s3cret", fault.ToString(), StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("RUNNING", "RUNNING")]
    [InlineData("PAUSED", "PAUSED")]
    [InlineData("STOPPED", null)]
    [InlineData("RUNNING", "RESTARTING")]
    [InlineData("UNASSIGNED", "UNASSIGNED")]
    public void What_has_not_failed_is_no_failure(string state, string? task) => Assert.Null(ConnectorRules.Failed(Section, Status(state, task)));

    [Fact]
    public void A_connector_that_has_failed_without_a_task_is_named() =>
        Assert.StartsWith("Connector shop-source has failed", ConnectorRules.Failed(Section, Status("FAILED", null))!.Message, StringComparison.Ordinal);

    [Fact]
    public void A_restart_that_cannot_help_or_that_a_person_does_not_want_is_none()
    {
        var slot = new Fault(FaultKind.LogBroken, "slot-missing", "gone", "drop it");
        var settings = new Fault(FaultKind.Configuration, "connector-settings-changed", "changed", "put them back");
        Assert.Null(ConnectorRules.Barrier(Failed, isConnectAway: false, null, null, isSourceAway: false));
        Assert.Equal(
            [
                new RestartBarrier("It is not restarted by itself, for its slot cannot deliver what the log lacks", "drop it"),
                new RestartBarrier("It is not restarted by itself under the settings it was given", "put them back"),
                new RestartBarrier("It is restarted by itself once the source answers", "See that the source answers", Passes: true),
                new RestartBarrier("It is restarted by itself once Kafka Connect answers", "See that Kafka Connect answers", Passes: true),
                new RestartBarrier("It is not restarted while it is PAUSED", "Run 'cdcm connector resume -f FILE': then it is restarted by itself", Passes: true),
                new RestartBarrier("It is not restarted while it is STOPPED", "Run 'cdcm connector resume -f FILE': then it is restarted by itself", Passes: true),
            ],
            [
                ConnectorRules.Barrier(Failed, isConnectAway: false, slot, null, isSourceAway: false),
                ConnectorRules.Barrier(Failed, isConnectAway: false, null, settings, isSourceAway: false),
                ConnectorRules.Barrier(Failed, isConnectAway: false, null, null, isSourceAway: true),
                ConnectorRules.Barrier(Failed, isConnectAway: true, null, null, isSourceAway: false),
                ConnectorRules.Barrier(Status("PAUSED", "FAILED"), isConnectAway: false, null, null, isSourceAway: false),
                ConnectorRules.Barrier(Status("STOPPED", "FAILED"), isConnectAway: false, null, null, isSourceAway: false),
            ]);
    }

    private static ConnectorStatus Status(string state, string? task) =>
        new("shop-source", state, "w:8083", task is null ? [] : [new ConnectorTask(0, task, "w:8083", task == "FAILED" ? "org.apache.kafka.connect.errors.ConnectException: gone.\n\tat x" : "")]);
}
