using System.Text.Json;
using CdcMigrator.Cutover.Routing;
using CdcMigrator.Domain.Migrations;

namespace CdcMigrator.UnitTests.Cutover.Routing;

public sealed class HookContextTests
{
    private static readonly HookContext Context = new("shop", "t1", 7, MigrationDirection.Forward, new RouteEnd("old", 5432, "shop"), new RouteEnd("new.example", 5433, "sh \"o\"/p"));

    [Fact]
    public void A_command_is_told_everything_by_its_environment()
    {
        var variables = Context.Environment(HookMoment.AfterOpen);
        Assert.Equal(HookContext.VariableNames, variables.Keys);
        Assert.Equal(
            [
                "CDCM_MIGRATION=shop", "CDCM_TOKEN=t1", "CDCM_EPOCH=7", "CDCM_DIRECTION=forward", "CDCM_MOMENT=afterOpen", "CDCM_FROM_HOST=old", "CDCM_FROM_PORT=5432",
                "CDCM_FROM_DATABASE=shop", "CDCM_TO_HOST=new.example", "CDCM_TO_PORT=5433", "CDCM_TO_DATABASE=sh \"o\"/p",
            ],
            variables.Select(pair => $"{pair.Key}={pair.Value}"));
    }

    [Fact]
    public void A_request_is_told_everything_by_its_body() => Assert.Equal(
        """{"migration":"shop","token":"t1","epoch":7,"direction":"forward","moment":"onAbort","fromHost":"old","fromPort":5432,"fromDatabase":"shop","toHost":"new.example","toPort":5433,"toDatabase":"sh \"o\"/p"}""",
        Context.Json(HookMoment.OnAbort));

    [Fact]
    public void Placeholders_are_filled_as_their_place_wants_it()
    {
        Assert.Equal("--db=sh \"o\"/p at new.example:5433 {{x}}", HookTemplate.Fill("--db={{toDatabase}} at {{ toHost }}:{{toPort}} {{x}}", Context, HookMoment.AfterOpen));
        Assert.Equal("http://lb/sh%20%22o%22%2Fp", HookTemplate.FillUrl("http://lb/{{toDatabase}}", Context, HookMoment.AfterOpen));
        var body = HookTemplate.FillBody("""{ "db": "{{toDatabase}}", "port": {{toPort}} }""", Context, HookMoment.AfterOpen);
        Assert.Equal("sh \"o\"/p", JsonDocument.Parse(body).RootElement.GetProperty("db").GetString());
        Assert.Equal(["x"], HookTemplate.Unknown("{{x}} {{toHost}} {{ x }}"));
    }

    [Fact]
    public void What_is_typed_by_hand_does_the_same_and_shows_no_secret()
    {
        var secret = new HookText("Bearer abc", "Bearer ${LB_TOKEN}", ["abc"]);
        var http = new HttpHook("lb", HookText.Plain("http://lb/{{migration}}?a=b c"), "PUT", new Dictionary<string, HookText> { ["Authorization"] = secret }, HookText.Plain("{\"it's\": \"{{toHost}}\"}"), [], TimeSpan.Zero);
        Assert.Equal(
            """curl -X PUT -H "Authorization: Bearer ${LB_TOKEN}" -d '{"it'\''s": "new.example"}' 'http://lb/shop?a=b c'""",
            HookByHand.Of(http, HookMoment.AfterOpen, Context));
        Assert.EndsWith(" http://lb/x", HookByHand.Of(http with { Url = HookText.Plain("http://lb/x"), Body = null, Method = "GET" }, HookMoment.AfterOpen, Context), StringComparison.Ordinal);

        var command = new CommandHook("sw", [HookText.Plain("/opt/switch"), secret, HookText.Plain("a 'b' $c")], new Dictionary<string, HookText> { ["KEY"] = secret }, TimeSpan.Zero);
        var typed = HookByHand.Of(command, HookMoment.BeforeFence, Context);
        Assert.StartsWith("CDCM_MIGRATION=shop CDCM_TOKEN=t1 CDCM_EPOCH=7 CDCM_DIRECTION=forward CDCM_MOMENT=beforeFence ", typed, StringComparison.Ordinal);
        Assert.EndsWith("""KEY="Bearer ${LB_TOKEN}" /opt/switch "Bearer ${LB_TOKEN}" 'a '\''b'\'' $c'""", typed, StringComparison.Ordinal);

        var bouncer = new PgBouncerHook("pgbouncer", HookText.Plain("Host=/run/pgbouncer;User Id=admin;Password=abc;Port=6433"), ["shop"], TimeSpan.Zero);
        Assert.Equal("psql -h /run/pgbouncer -p 6433 -U admin -d pgbouncer -c RELOAD -c 'RESUME \"shop\"'", HookByHand.Of(bouncer, HookMoment.AfterOpen, Context));
        Assert.EndsWith("-c 'PAUSE \"shop\"'", HookByHand.Of(bouncer, HookMoment.BeforeFence, Context), StringComparison.Ordinal);
    }
}
