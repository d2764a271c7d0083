using CdcMigrator.Domain.Faults;
using CdcMigrator.Service.Runtime;

namespace CdcMigrator.UnitTests.Service;

public sealed class RestartPauseTests
{
    [Fact]
    public void What_may_pass_by_itself_is_tried_soon_and_ever_less_often() => Assert.Equal(
        [1.0, 2, 4, 8, 16, 30, 30], Enumerable.Range(1, 7).Select(attempt => RestartPause.After(FaultKind.Unreachable, attempt).TotalSeconds));

    [Theory]
    [InlineData(FaultKind.Configuration)]
    [InlineData(FaultKind.LogBroken)]
    [InlineData(FaultKind.Poison)]
    [InlineData(FaultKind.NotAllowed)]
    [InlineData(FaultKind.Internal)]
    public void What_a_person_has_to_see_to_is_tried_once_a_minute(FaultKind kind) =>
        Assert.All([1, 2, 1000], attempt => Assert.Equal(TimeSpan.FromMinutes(1), RestartPause.After(kind, attempt)));
}
