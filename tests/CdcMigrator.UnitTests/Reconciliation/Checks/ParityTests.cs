using System.Numerics;
using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Preflight;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Checks;

namespace CdcMigrator.UnitTests.Reconciliation.Checks;

/// <summary>What two schemas have otherwise, weighed.</summary>
public sealed class ParityTests
{
    private static readonly TableName Orders = new("public", "orders");
    private static readonly TableName Moved = new("crm", "orders");
    private static readonly TableMapping Mapping = new() { Source = Orders, Target = Moved, Rename = new Dictionary<string, string> { ["mail"] = "email" }, Exclude = new HashSet<string> { "legacy" } };

    private static readonly SchemaTable Source = new(Orders, [new("id", "bigint", true) { Identity = "always" }, new("mail", "text", false), new("legacy", "text", false)])
    {
        Keys = [new("orders_pkey", ["id"], true), new("orders_mail", ["mail"], false)],
    };

    private static readonly SchemaTable Target = new(Moved, [new("id", "bigint", true) { Identity = "by default" }, new("email", "text", false)])
    {
        Keys = [new("orders_pkey", ["id"], true), new("orders_mail", ["email"], false)],
    };

    [Fact]
    public void Tables_that_fit_pass_though_columns_are_renamed_and_left_out() =>
        Assert.Equal([("public.orders", CheckState.Pass)], Found(Source, Target).Select(result => (result.Name, result.State)));

    public static TheoryData<string, Severity, object> Differences() => new()
    {
        { "mail column", Severity.Error, Target with { Columns = [Target.Columns[0]] } },
        { "extra column", Severity.Error, Target with { Columns = [.. Target.Columns, new SchemaColumn("added", "text", true)] } },
        { "mail type", Severity.Warning, Target with { Columns = [Target.Columns[0], new SchemaColumn("email", "character varying(10)", false)] } },
        { "mail nullability", Severity.Warning, Target with { Columns = [Target.Columns[0], new SchemaColumn("email", "text", true)] } },
        { "id identity", Severity.Error, Target with { Columns = [new SchemaColumn("id", "bigint", true), Target.Columns[1]] } },
        { "mail generated", Severity.Warning, Target with { Columns = [Target.Columns[0], new SchemaColumn("email", "text", false) { Generated = "lower(a)" }] } },
        { "mail collation", Severity.Warning, Target with { Columns = [Target.Columns[0], new SchemaColumn("email", "text", false) { Collation = "C" }] } },
        { "key orders_pkey", Severity.Error, Target with { Keys = [Target.Keys[1]] } },
        { "key orders_mail", Severity.Error, Target with { Keys = [Target.Keys[0], Target.Keys[1] with { Predicate = "(email IS NOT NULL)" }] } },
        { "key orders_mail", Severity.Error, Target with { Keys = [Target.Keys[0], Target.Keys[1] with { IsValid = false }] } },
        { "key orders_mail", Severity.Warning, Target with { Keys = [Target.Keys[0], Target.Keys[1] with { IsImmediate = false }] } },
        { "key orders_mail", Severity.Warning, Target with { Keys = [Target.Keys[0], Target.Keys[1] with { NullsNotDistinct = true }] } },
        { "key orders_pkey", Severity.Warning, Target with { Keys = [Target.Keys[0] with { IsPrimary = false }, Target.Keys[1]] } },
        { "key extra", Severity.Warning, Target with { Keys = [.. Target.Keys, new SchemaKey("extra", ["email", "id"], false)] } },
        { "trigger t", Severity.Error, Target with { Triggers = [new SchemaTrigger("t", true, true)] } },
        { "index broken", Severity.Error, Target with { BrokenIndexes = ["broken"] } },
        { "replica identity", Severity.Warning, Target with { HasReplicaIdentity = false } },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void A_difference_is_named_with_its_weight_and_what_to_do(string name, Severity severity, object target)
    {
        var found = Found(Source, (SchemaTable)target).Where(result => result.State == CheckState.Fail).ToList();
        Assert.Contains(found, result => result.Name == $"public.orders {name}" && result.Severity == severity);
        Assert.All(found, result => Assert.NotEmpty(result.Fix));
    }

    [Theory]
    [InlineData("integer", "bigint", true)]
    [InlineData("bigint", "integer", false)]
    [InlineData("character varying(20)", "character varying(30)", true)]
    [InlineData("character varying(30)", "character varying(20)", false)]
    [InlineData("character varying(30)", "text", true)]
    [InlineData("text", "character varying(30)", false)]
    [InlineData("numeric(10,2)", "numeric(12,2)", true)]
    [InlineData("numeric(10,2)", "numeric(12,3)", false)]
    [InlineData("numeric(10,2)", "numeric", true)]
    [InlineData("numeric", "numeric(10,2)", false)]
    public void A_wider_type_is_told_from_a_narrower_one(string source, string target, bool isWider)
    {
        var found = Found(new SchemaTable(Orders, [new SchemaColumn("a", source, false)]), new SchemaTable(Moved, [new SchemaColumn("a", target, false)]));
        Assert.Equal((isWider ? CheckState.Pass : CheckState.Fail, isWider ? Severity.Info : Severity.Warning), (found[0].State, found[0].Severity));
    }

    [Theory]
    [InlineData("nextval('public.orders_id_seq'::regclass)", "nextval('crm.orders_id_seq'::regclass)", true)]
    [InlineData("'new'::character varying", "'new'::text", true)]
    [InlineData("(a > 0)", "a > 0", true)]
    [InlineData("(a) > (b)", "a) > (b", false)]
    [InlineData("'new'::text", "'old'::text", false)]
    [InlineData("now()", null, false)]
    public void Expressions_are_compared_by_what_they_mean_in_either_schema(string source, string? target, bool isSame)
    {
        var found = Found(new SchemaTable(Orders, [new SchemaColumn("a", "text", false) { Default = source }]), new SchemaTable(Moved, [new SchemaColumn("a", "text", false) { Default = target }]));
        Assert.Equal(isSame, found.All(result => result.State == CheckState.Pass));
    }

    [Fact]
    public void Constraints_are_compared_by_definition_whatever_their_names()
    {
        var mapping = new TableMapping { Source = Orders, Target = Moved };
        SchemaTable With(TableName name, params SchemaConstraint[] constraints) => new(name, []) { Constraints = constraints };
        var found = new SchemaParity(true).Of(
            [mapping],
            new Dictionary<TableName, SchemaTable> { [Orders] = With(Orders, new("a", "check", "CHECK (total > 0)", true), new("b", "foreign key", "FOREIGN KEY (c) REFERENCES public.customers(id)", true)) },
            new Dictionary<TableName, SchemaTable> { [Moved] = With(Moved, new("x", "check", "CHECK (total > 0) NOT VALID", false), new("y", "check", "CHECK (total < 100)", true)) });
        Assert.Equal(["public.orders constraint b", "public.orders constraint y"], found.Select(result => result.Name).Order(StringComparer.Ordinal));
        Assert.All(found, result => Assert.Equal((CheckState.Fail, Severity.Warning), (result.State, result.Severity)));
    }

    [Fact]
    public void A_table_that_is_not_there_is_an_error_of_its_side()
    {
        var found = new SchemaParity(true).Of([Mapping], new Dictionary<TableName, SchemaTable> { [Orders] = Source }, new Dictionary<TableName, SchemaTable>());
        Assert.Equal("the target has no table crm.orders", Assert.Single(found).Message);
    }

    [Theory]
    [InlineData(100L, null, null, 1, "1100")]
    [InlineData(100L, 1099L, null, 1, "1100")]
    [InlineData(100L, 1100L, null, 1, null)]
    [InlineData(100L, 50L, 700L, 1, "1700")]
    [InlineData(null, null, null, 1, null)]
    [InlineData(null, 50L, 700L, 1, "1700")]
    [InlineData(-100L, -500L, null, -1, "-1100")]
    [InlineData(-100L, -1500L, null, -1, null)]
    [InlineData(-100L, null, -700L, -1, "-1700")]
    [InlineData(100L, 50L, 700L, 10, "10700")]
    public void The_cutover_goes_past_both_sides_in_the_sequences_direction(long? source, long? target, long? furthest, long increment, string? next)
    {
        var there = new SequenceFact(Moved, "id", "seq") { Last = target, Furthest = furthest, Increment = increment };
        Assert.Equal(next is null ? null : BigInteger.Parse(next, System.Globalization.CultureInfo.InvariantCulture), SequenceParity.Next(new SequenceFact(Orders, "id", "seq") { Last = source, Increment = increment }, there, 1000));
    }

    [Theory]
    [InlineData(101L, null, 1L, null, 1, "1100")]
    [InlineData(101L, null, 101L, null, 1, null)]
    [InlineData(101L, null, 100L, null, 1, "1100")]
    [InlineData(101L, 50L, null, null, 1, "1100")]
    [InlineData(1L, null, 1L, null, 1, null)]
    [InlineData(1L, null, 1L, 100L, 1, "1100")]
    [InlineData(101L, null, 5000L, 100L, 1, null)]
    [InlineData(-101L, null, -1L, null, -1, "-1100")]
    [InlineData(-101L, null, -5000L, -100L, -1, null)]
    public void A_sequence_that_was_never_called_goes_by_what_it_would_begin_with(long source, long? target, long? begins, long? furthest, long increment, string? next)
    {
        var there = new SequenceFact(Moved, "id", "seq") { Last = target, Coming = begins, Furthest = furthest, Increment = increment };
        Assert.Equal(next is null ? null : BigInteger.Parse(next, System.Globalization.CultureInfo.InvariantCulture), SequenceParity.Next(new SequenceFact(Orders, "id", "seq") { Coming = source, Increment = increment }, there, 1000));
    }

    [Fact]
    public void What_the_cutover_does_not_look_at_is_no_promise()
    {
        var here = new SequenceFact(Orders, "mail", "seq") { Last = 100 };
        var there = new SequenceFact(Moved, "email", "crm.seq") { Last = 1, Furthest = 5000 };
        Assert.Equal("the cutover sets crm.seq to 6000", Sequence(there).Message);
        Assert.Equal("the cutover sets crm.seq to 1100", Sequence(there with { Cycles = true }).Message);
        Assert.Equal("crm.seq is at 9000 already", Sequence(there with { Last = 9000 }).Message);

        var blind = Sequence(there with { IsIndexed = false });
        Assert.True(blind.Blocks);
        Assert.Contains("the column holds 5000, further than where the cutover leaves crm.seq (1100)", blind.Message, StringComparison.Ordinal);
        Assert.Equal((CheckState.Fail, false), (Sequence(there with { IsIndexed = false, IsUnique = false }).State, Sequence(there with { IsIndexed = false, IsUnique = false }).Blocks));
        Assert.Equal(CheckState.Pass, Sequence(there with { IsIndexed = false, Furthest = 1100 }).State);

        CheckResult Sequence(SequenceFact target) => Assert.Single(SequenceParity.Of([Mapping], [here], [target], 1000));
    }

    [Fact]
    public void A_sequence_that_cannot_take_over_is_an_error_and_one_that_only_rests_is_not()
    {
        var here = new SequenceFact(Orders, "mail", "seq") { Last = 100 };
        var there = new SequenceFact(Moved, "email", "crm.seq") { Last = 1 };
        var rests = Sequence(here, there);
        Assert.Equal((CheckState.Pass, "the cutover sets crm.seq to 1100", "mail"), (rests.State, rests.Message, rests.Column));
        Assert.True(Sequence(here, null).Blocks);
        Assert.True(Sequence(here, there with { Increment = -1 }).Blocks);
        Assert.True(Sequence(here, there with { Greatest = 1000 }).Blocks);
        Assert.Equal((CheckState.Fail, false), Weight(Sequence(here, there with { Greatest = 1000, Cycles = true })));
        Assert.Equal((CheckState.Fail, false), Weight(Sequence(here, there with { Increment = 2 })));
        Assert.Equal(CheckState.Pass, Sequence(null, there).State);
        Assert.Empty(SequenceParity.Of([Mapping], [new SequenceFact(Orders, "legacy", "x")], [], 1000));

        CheckResult Sequence(SequenceFact? source, SequenceFact? target) =>
            Assert.Single(SequenceParity.Of([Mapping], source is null ? [] : [source], target is null ? [] : [target], 1000));
        static (CheckState, bool) Weight(CheckResult result) => (result.State, result.Blocks);
    }

    [Fact]
    public void Versions_that_differ_are_named()
    {
        HistoryFact Flyway(string schema, params (string Version, string? Sum)[] versions) =>
            new("Flyway", new TableName(schema, "flyway_schema_history"), versions.ToDictionary(version => version.Version, version => version.Sum), []);
        var same = Assert.Single(HistoryParity.Of([Flyway("public", ("1", "a"), ("2", "b"))], [Flyway("crm", ("1", "a"), ("2", "b"))]));
        Assert.Equal(CheckState.Pass, same.State);
        var other = Assert.Single(HistoryParity.Of([Flyway("public", ("1", "a"), ("2", "b"))], [Flyway("public", ("1", "x"), ("3", "c"))]));
        Assert.Equal((true, "2 is not on the target; 3 is not on the source; 1 has another checksum"), (other.Blocks, other.Message));
        Assert.True(Assert.Single(HistoryParity.Of([Flyway("public", ("1", null)) with { Failed = ["2"] }], [Flyway("public", ("1", "a"))])).Blocks);
        Assert.Equal(CheckState.Pass, Assert.Single(HistoryParity.Of([Flyway("public", ("1", "a"), ("1.9", "a"), ("2.1", "b"))], [Flyway("public", ("2.1", "b")) with { Baseline = "1.10" }])).State);
        Assert.True(Assert.Single(HistoryParity.Of([Flyway("public", ("1.11", "a"))], [Flyway("public") with { Baseline = "1.10" }])).Blocks);
        Assert.False(Assert.Single(HistoryParity.Of([Flyway("public", ("1", "a"))], [])).Blocks);
        Assert.Equal("Flyway public.flyway_schema_history", Assert.Single(HistoryParity.Of([], [Flyway("public", ("1", "a"))])).Name);
    }

    private static IReadOnlyList<CheckResult> Found(SchemaTable source, SchemaTable target) =>
        new SchemaParity(true).Of([Mapping], new Dictionary<TableName, SchemaTable> { [Orders] = source }, new Dictionary<TableName, SchemaTable> { [Moved] = target });
}
