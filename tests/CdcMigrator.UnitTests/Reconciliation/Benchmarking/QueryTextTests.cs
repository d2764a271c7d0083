using CdcMigrator.Reconciliation.Benchmarking;

namespace CdcMigrator.UnitTests.Reconciliation.Benchmarking;

public sealed class QueryTextTests
{
    [Theory]
    [InlineData("select 1", null)]
    [InlineData("  -- why\n/* so */ with x as (select 1) select * from x;  ", null)]
    [InlineData("select ';' || \"a;b\" || $$;$$ || $t$ ; $1 $t$ from t -- ; end", null)]
    [InlineData("select data ? 'a', data ?| array['b'] from t", null)]
    [InlineData("update t set v = 1", "it is no SELECT")]
    [InlineData("", "it is no SELECT")]
    [InlineData("-- select 1", "it is no SELECT")]
    [InlineData("select 1; delete from t", "it is more than one statement")]
    [InlineData("select * from t where id = $1", "it has parameters without values: write it with values under 'benchmarks:' of the migration file")]
    public void A_text_that_cannot_be_run_as_it_stands_says_why(string sql, string? refused) => Assert.Equal(refused, BenchmarkRun.Refuse(sql));

    [Theory]
    [InlineData("select * from t order by id", true)]
    [InlineData("select * from (select * from t order by id) x", false)]
    [InlineData("select string_agg(v, ',' order by id) from t", false)]
    [InlineData("select sum(v) over (order by id) from t", false)]
    [InlineData("select 'order by' from t", false)]
    [InlineData("select * from t /* order by id */", false)]
    [InlineData("select * from (select 1) x ORDER\n BY 1", true)]
    public void Order_is_asked_for_at_the_top_only(string sql, bool ordered) => Assert.Equal(ordered, QueryText.Read(sql).IsOrdered);

    [Theory]
    [InlineData("select pg_sleep(1)", true)]
    [InlineData("select * from pg_stat_activity", true)]
    [InlineData("select count(*) from t where at > now()", true)]
    [InlineData("select 'pg_sleep' from t", false)]
    public void What_asks_the_server_itself_is_told_from_what_asks_tables(string sql, bool ofServer) => Assert.Equal(ofServer, QueryText.Read(sql).IsOfServer);
}
