using CdcMigrator.Postgres.Comparing;

namespace CdcMigrator.UnitTests.Postgres.Comparing;

public sealed class SideTypeTests
{
    [Theory]
    [InlineData("numeric", 'b', "numeric", 786438, "numeric(12,2)")]
    [InlineData("numeric", 'b', "numeric", 395266, "numeric(6,-2)")]
    [InlineData("numeric", 'b', "numeric", -1, "numeric")]
    [InlineData("bpchar", 'b', "bpchar", 9, "character(5)")]
    [InlineData("varchar", 'b', "character varying", 24, "character varying(20)")]
    [InlineData("bit", 'b', "\"bit\"", 12, "bit(12)")]
    [InlineData("timestamp", 'b', "timestamp without time zone", 3, "timestamp(3) without time zone")]
    [InlineData("time", 'b', "time without time zone", 0, "time(0) without time zone")]
    [InlineData("timestamptz", 'b', "timestamp with time zone", 3, "timestamp with time zone")]
    [InlineData("mood", 'e', "public.mood", -1, "enum")]
    [InlineData("uuid", 'b', "uuid", -1, "uuid")]
    public void A_declaration_has_the_modifier(string name, char kind, string sql, int modifier, string declaration) =>
        Assert.Equal(declaration, new SideType(kind == 'e' ? "public" : "pg_catalog", name, kind, sql, modifier, null).Declaration);
}
