using CdcMigrator.Domain.Checks;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Checking;

/// <summary>Rows that break the target's constraints are found though the catalog calls these valid, and are not called wrong while changes are on their way.</summary>
public sealed class ConstraintTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table parent(id int primary key, a text, b text, unique (a, b));
        create table child(id int primary key, parent_id int references parent, a text, b text, foreign key (a, b) references parent(a, b) match full);
        create table other(id int primary key, up int references other deferrable, code text);
        alter table other add constraint other_code unique (code) deferrable initially deferred;
        alter table other add constraint other_apart exclude using btree (id with =) where (code = 'x') deferrable;
        insert into parent values (1, 'a', 'b'), (2, null, null);
        insert into child values (1, 1, 'a', 'b'), (2, null, null, null);
        insert into other values (1, null, 'one'), (2, 1, 'two'), (3, null, null), (4, null, null);
        """;

    [Fact]
    public async Task Constraints_that_hold_pass_each_by_its_name()
    {
        await using var scene = await SceneAsync();
        var found = await scene.ConstraintsAsync();
        Assert.Equal(
            ["public.child child_a_b_fkey", "public.child child_parent_id_fkey", "public.other other_apart", "public.other other_code", "public.other other_up_fkey"],
            found.Keys.Order(StringComparer.Ordinal));
        Assert.All(found.Values, result => Assert.Equal((CheckState.Pass, true), (result.State, result.PassedAt is not null)));
    }

    [Fact]
    public async Task Rows_written_in_the_replica_role_are_found_in_every_kind_of_constraint()
    {
        await using var scene = await SceneAsync();
        await BreakAsync(scene, "insert into child values (10, 99, null, null), (11, null, 'a', null), (12, null, 'a', 'zz'); insert into other values (20, 77, 'one')");
        var found = await scene.ConstraintsAsync();
        Assert.Equal((CheckState.Fail, "1 rows break it: 10"), Of(found["public.child child_parent_id_fkey"]));
        Assert.Equal((CheckState.Fail, "2 rows break it: 11; 12"), Of(found["public.child child_a_b_fkey"]));
        Assert.Equal((CheckState.Fail, "1 rows break it: 20"), Of(found["public.other other_up_fkey"]));
        Assert.Equal((CheckState.Fail, "2 rows break it: 1; 20"), Of(found["public.other other_code"]));
        Assert.Equal(CheckState.Pass, found["public.other other_apart"].State);
    }

    [Fact]
    public async Task An_orphan_whose_parent_or_itself_is_on_its_way_is_undecided_and_another_one_beside_it_is_not()
    {
        await using var scene = await SceneAsync();
        await BreakAsync(scene, "insert into child values (10, 99, null, null), (11, 98, null, null)");
        scene.OnItsWay("public.parent", "99");
        Assert.Equal((CheckState.Fail, "1 rows break it: 11"), Of((await scene.ConstraintsAsync())["public.child child_parent_id_fkey"]));
        scene.OnItsWay("public.child", "11");
        Assert.Equal(CheckState.InFlight, (await scene.ConstraintsAsync())["public.child child_parent_id_fkey"].State);
        await scene.Target.ExecuteAsync("insert into parent values (99), (98)");
        Assert.Equal(CheckState.Pass, (await scene.ConstraintsAsync())["public.child child_parent_id_fkey"].State);
    }

    [Fact]
    public async Task A_reference_to_other_columns_than_the_parents_key_is_undecided_while_any_row_of_the_parent_is_on_its_way()
    {
        await using var scene = await SceneAsync();
        await BreakAsync(scene, "insert into child values (12, null, 'a', 'zz')");
        scene.OnItsWay("public.parent", "1");
        Assert.Equal(CheckState.InFlight, (await scene.ConstraintsAsync())["public.child child_a_b_fkey"].State);
    }

    [Fact]
    public async Task Of_two_rows_with_one_value_either_may_be_the_one_that_is_to_go()
    {
        await using var scene = await SceneAsync();
        await BreakAsync(scene, "insert into other values (20, null, 'one')");
        scene.OnItsWay("public.other", "1");
        Assert.Equal(CheckState.InFlight, (await scene.ConstraintsAsync())["public.other other_code"].State);
    }

    [Fact]
    public async Task Rows_from_before_a_constraint_that_was_never_validated_are_found()
    {
        await using var scene = await SceneAsync();
        await scene.Target.ExecuteAsync("alter table other add constraint late check (id <> 3) not valid; alter table other add constraint fine check (id > 0) not valid");
        var found = await scene.ConstraintsAsync();
        Assert.Equal((CheckState.Fail, "1 rows break it: 3"), Of(found["public.other late"]));
        Assert.Equal((CheckState.Pass, "holds, though it is NOT VALID"), Of(found["public.other fine"]));
    }

    [Fact]
    public async Task Dead_letters_may_be_why()
    {
        await using var scene = await SceneAsync();
        await BreakAsync(scene, "insert into child values (10, 99, null, null)");
        await scene.Target.ExecuteAsync("""
            insert into cdc_migrator.dead_letter(migration, topic, partition, record_offset, table_name, row_key, code, message, cluster_id, record_ms, bytes)
            values ('m', 't', 0, 1, 'public.parent', '{"id":"99"}', 'x', 'x', 'c', 0, 0)
            """);
        Assert.Equal(CheckState.InFlight, (await scene.ConstraintsAsync())["public.child child_parent_id_fkey"].State);
    }

    private Task<CheckScene> SceneAsync() => CheckScene.CreateAsync(postgres, Schema, null, "public.parent", "public.child", "public.other");

    private static (CheckState, string) Of(CheckResult result) => (result.State, result.Message);

    /// <summary>In one session with the replica role, as changes are applied.</summary>
    private static Task BreakAsync(CheckScene scene, string sql) => scene.Target.ExecuteAsync($"set session_replication_role = replica; {sql}; reset session_replication_role");
}
