using System.Net.Sockets;
using CdcMigrator.Domain.Faults;
using CdcMigrator.Postgres.Faults;
using Npgsql;

namespace CdcMigrator.UnitTests.Postgres.Faults;

public sealed class PostgresFaultsTests
{
    [Theory]
    [InlineData(SocketError.HostNotFound)]
    [InlineData(SocketError.TryAgain)]
    [InlineData(SocketError.NoData)]
    public void A_host_name_that_does_not_resolve_is_a_server_that_does_not_answer_whoever_says_so(SocketError code)
    {
        var bare = new SocketException((int)code);
        foreach (var exception in new Exception[] { bare, new NpgsqlException(bare.Message, bare) })
        {
            Assert.True(PostgresFaults.IsOfServer(exception));
            var fault = PostgresFaults.Classify(exception);
            Assert.Equal((FaultKind.Unreachable, "unreachable"), (fault.Kind, fault.Code));
            Assert.Contains("its host name does not resolve", fault.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("28P01", FaultKind.Configuration, "authentication")]
    [InlineData("3D000", FaultKind.Configuration, "no-database")]
    [InlineData("25006", FaultKind.Unreachable, "read-only")]
    [InlineData("53100", FaultKind.Unreachable, "disk-full")]
    [InlineData("53200", FaultKind.Unreachable, "out-of-memory")]
    [InlineData("53300", FaultKind.Unreachable, "too-many-connections")]
    [InlineData("57P01", FaultKind.Unreachable, "server-shutdown")]
    [InlineData("57P03", FaultKind.Unreachable, "server-shutdown")]
    [InlineData("58030", FaultKind.Unreachable, "server-resources")]
    [InlineData("40P01", FaultKind.Transient, "deadlock")]
    [InlineData("40001", FaultKind.Transient, "serialization")]
    [InlineData("55P03", FaultKind.Transient, "lock-timeout")]
    [InlineData("57014", FaultKind.Transient, "statement-timeout")]
    [InlineData("25P03", FaultKind.Transient, "session-timeout")]
    [InlineData("08006", FaultKind.Transient, "connection-lost")]
    [InlineData("42P01", FaultKind.Configuration, "missing-table")]
    [InlineData("42703", FaultKind.Configuration, "missing-column")]
    [InlineData("42501", FaultKind.Configuration, "permission")]
    [InlineData("42883", FaultKind.Configuration, "target-schema")]
    [InlineData("23502", FaultKind.Poison, "not-null")]
    [InlineData("23514", FaultKind.Poison, "check")]
    [InlineData("23505", FaultKind.Poison, "unique-conflict")]
    [InlineData("23P01", FaultKind.Poison, "unique-conflict")]
    [InlineData("23503", FaultKind.Poison, "constraint")]
    [InlineData("22001", FaultKind.Poison, "bad-value")]
    [InlineData("22P02", FaultKind.Poison, "bad-value")]
    [InlineData("22021", FaultKind.Poison, "bad-value")]
    [InlineData("54000", FaultKind.Poison, "bad-value")]
    [InlineData("CDM01", FaultKind.Fenced, "fenced")]
    [InlineData("CDM02", FaultKind.NotAllowed, "lane-frozen")]
    [InlineData("XX000", FaultKind.Internal, "postgres-error")]
    public void Each_state_has_its_fault(string state, FaultKind kind, string code)
    {
        var fault = PostgresFaults.Classify(new PostgresException("what happened", "ERROR", "ERROR", state));
        Assert.Equal((kind, code), (fault.Kind, fault.Code));
        Assert.Contains("what happened", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_does_not_answer_is_unreachable_and_a_broken_connection_transient()
    {
        var refused = PostgresFaults.Classify(new NpgsqlException("Failed to connect to 127.0.0.1:1", new SocketException((int)SocketError.ConnectionRefused)));
        var broken = PostgresFaults.Classify(new NpgsqlException("Exception while reading from stream", new IOException("reset")));
        Assert.Equal((FaultKind.Unreachable, "unreachable"), (refused.Kind, refused.Code));
        Assert.Equal((FaultKind.Transient, "connection-lost"), (broken.Kind, broken.Code));
    }

    [Fact]
    public void A_fault_keeps_itself()
    {
        var fault = new Fault(FaultKind.NotAllowed, "x", "y");
        Assert.Same(fault, PostgresFaults.Classify(new FaultException(fault)));
    }
}
