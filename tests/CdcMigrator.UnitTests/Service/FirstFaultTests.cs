using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Switching;

namespace CdcMigrator.UnitTests.Service;

public sealed class FirstFaultTests
{
    [Fact]
    public async Task The_first_that_fails_calls_the_others_off_and_is_what_is_thrown()
    {
        using var together = new CancellationTokenSource();
        var endless = Task.Delay(Timeout.InfiniteTimeSpan, together.Token);
        var fault = new FaultException(FaultKind.NotAllowed, "not-equal", "wrong");
        Assert.Same(fault, await Assert.ThrowsAsync<FaultException>(() => FirstFault.WhenAllAsync(together, Task.CompletedTask, endless, Task.FromException(fault))));
        Assert.True(endless.IsCanceled);
    }

    [Fact]
    public async Task All_are_waited_for_where_none_fails()
    {
        using var together = new CancellationTokenSource();
        var last = new TaskCompletionSource();
        var waiting = FirstFault.WhenAllAsync(together, Task.CompletedTask, last.Task);
        Assert.False(waiting.IsCompleted);
        last.SetResult();
        await waiting;
        Assert.False(together.IsCancellationRequested);
    }
}
