using CdcMigrator.Domain.Checks;
using CdcMigrator.Domain.Migrations;
using CdcMigrator.Domain.Tables;
using CdcMigrator.Reconciliation.Checks;

namespace CdcMigrator.UnitTests.Reconciliation.Checks;

/// <summary>What a migration file asks of the checks: another fingerprint exactly where an answer would mean something else.</summary>
public sealed class CheckQuestionsTests
{
    private static readonly BusinessRule Revenue = new("revenue", "select 1", "select 2", 0.5m);

    private static readonly TableMapping Orders = new()
    {
        Source = new TableName("public", "orders"),
        Target = new TableName("public", "orders"),
        Exclude = new HashSet<string> { "a", "b" },
        Rename = new Dictionary<string, string> { ["c"] = "d", ["e"] = "f" },
        Columns = new Dictionary<string, ColumnMapping> { ["g"] = new() { Labels = new Dictionary<string, string> { ["h"] = "i", ["j"] = "k" } } },
    };

    public static TheoryData<BusinessRule> OtherRules() => [Revenue with { Source = "select 1 " }, Revenue with { Target = "select 3" }, Revenue with { Tolerance = 0.4m }];

    [Theory]
    [MemberData(nameof(OtherRules))]
    public void A_rule_of_another_text_or_bound_is_another_question(BusinessRule rule)
    {
        Assert.NotEqual(Asked(CheckKind.Rules, rules: [Revenue]), Asked(CheckKind.Rules, rules: [rule]));
        Assert.Equal(Asked(CheckKind.Rules, rules: [Revenue]), Asked(CheckKind.Rules, rules: [Revenue with { }]));
    }

    [Fact]
    public void Text_moved_from_one_side_to_the_other_is_another_question() =>
        Assert.NotEqual(Asked(CheckKind.Rules, rules: [Revenue with { Source = "ab", Target = "c" }]), Asked(CheckKind.Rules, rules: [Revenue with { Source = "a", Target = "bc" }]));

    public static TheoryData<string, TableMapping> OtherTables() => new()
    {
        { "target", Orders with { Target = new TableName("crm", "orders") } },
        { "exclude", Orders with { Exclude = new HashSet<string> { "a" } } },
        { "rename", Orders with { Rename = new Dictionary<string, string> { ["c"] = "d" } } },
        { "keyless", Orders with { Keyless = true } },
        { "as", Column(column => column with { As = "text" }) },
        { "zeroDate", Column(column => column with { ZeroDate = new DateRule(DateAction.Null) }) },
        { "partialDate", Column(column => column with { PartialDate = new DateRule(DateAction.First) }) },
        { "nulCharacter", Column(column => column with { NulCharacter = NulRule.Replace }) },
        { "nonZeroIsTrue", Column(column => column with { NonZeroIsTrue = true }) },
        { "uuidFormat", Column(column => column with { UuidFormat = UuidFormat.TimeSwapBinary16 }) },
        { "labels", Column(column => column with { Labels = new Dictionary<string, string> { ["h"] = "x" } }) },
    };

    [Theory]
    [MemberData(nameof(OtherTables))]
    public void A_table_that_is_mapped_otherwise_is_another_question(string what, TableMapping table)
    {
        foreach (var kind in Enum.GetValues<CheckKind>().Except([CheckKind.Rules, CheckKind.SchemaHistory]))
        {
            Assert.True(Asked(kind, tables: [Orders])["public.orders"] != Asked(kind, tables: [table])["public.orders"], $"{kind}: {what}");
        }
    }

    [Fact]
    public void The_order_in_which_names_are_given_is_none()
    {
        var same = Orders with
        {
            Exclude = new HashSet<string> { "b", "a" },
            Rename = new Dictionary<string, string> { ["e"] = "f", ["c"] = "d" },
            Columns = new Dictionary<string, ColumnMapping> { ["g"] = new() { Labels = new Dictionary<string, string> { ["j"] = "k", ["h"] = "i" } } },
        };
        Assert.Equal(Asked(CheckKind.Counts, tables: [Orders]), Asked(CheckKind.Counts, tables: [same]));
    }

    [Fact]
    public void Bounds_are_part_of_the_questions_they_decide()
    {
        var verify = new VerifySection { CountTolerance = 0.2m, SampleErrorRate = 0.2m };
        Assert.NotEqual(Asked(CheckKind.Counts, tables: [Orders]), Asked(CheckKind.Counts, tables: [Orders], verify: verify));
        Assert.NotEqual(Asked(CheckKind.Samples, tables: [Orders]), Asked(CheckKind.Samples, tables: [Orders], verify: verify));
        Assert.Equal(Asked(CheckKind.Schema, tables: [Orders]), Asked(CheckKind.Schema, tables: [Orders], verify: verify));
        Assert.NotEqual(Asked(CheckKind.Sequences, tables: [Orders]), Asked(CheckKind.Sequences, tables: [Orders], cutover: new CutoverSection { SequenceMargin = 5 }));
    }

    /// <summary>A setting that is added has to be put into the fingerprint, or into this list of those that decide no answer.</summary>
    [Fact]
    public void Every_setting_of_a_table_is_part_of_its_question_or_named_here()
    {
        Assert.Equal(["Columns", "Exclude", "Keyless", "OnePartition", "Rename", "Reselect", "Source", "Target"], Settings<TableMapping>());
        Assert.Equal(["As", "Labels", "NonZeroIsTrue", "NulCharacter", "PartialDate", "UuidFormat", "ZeroDate"], Settings<ColumnMapping>());
        Assert.Equal(["Name", "Source", "Target", "Tolerance"], Settings<BusinessRule>());
        Assert.Equal(Asked(CheckKind.Schema, tables: [Orders]), Asked(CheckKind.Schema, tables: [Orders with { OnePartition = true, Reselect = new HashSet<string> { "a" } }]));
    }

    private static IEnumerable<string> Settings<T>() => typeof(T).GetProperties().Where(property => property.CanWrite).Select(property => property.Name).Order(StringComparer.Ordinal);

    private static TableMapping Column(Func<ColumnMapping, ColumnMapping> change) => Orders with { Columns = new Dictionary<string, ColumnMapping> { ["g"] = change(Orders.Columns["g"]) } };

    private static IReadOnlyDictionary<string, string> Asked(CheckKind kind, IReadOnlyList<BusinessRule>? rules = null, IReadOnlyList<TableMapping>? tables = null, VerifySection? verify = null, CutoverSection? cutover = null) =>
        CheckQuestions.Of(new MigrationDefinition
        {
            Name = "m",
            Source = new SourceSection(SourceKind.PostgreSql, ""),
            Target = new TargetSection(""),
            Log = new LogSection { TopicPrefix = "m" },
            Tables = tables ?? [],
            Rules = rules ?? [],
            Verify = verify ?? new VerifySection(),
            Cutover = cutover ?? new CutoverSection(),
        })[kind];
}
