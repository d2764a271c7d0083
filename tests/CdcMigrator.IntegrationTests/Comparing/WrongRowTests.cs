using CdcMigrator.Domain.Comparing;
using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Comparing;

/// <summary>Every kind of wrong row is found, in the databases' hashes and in those made here, and by every way to ask.</summary>
public sealed class WrongRowTests(PostgresFixture postgres)
{
    private const string Schema = """
        create table t(id bigint primary key, flag char(1) not null, b varchar(20), n numeric, f double precision, at timestamp(6) not null, note text, doc jsonb);
        insert into t select i, 'Y', case when i % 7 = 0 then null else 'v' || i end, i / 4.0, i, timestamp '2024-01-01' + i * interval '1 second', 'n|' || i,
            case when i % 5 = 0 then null else jsonb_build_object('k', i) end from generate_series(1, 2000) i;
        update t set f = 0 where id = 11; update t set doc = '1' where id = 12; update t set n = null where id = 13; update t set f = null where id = 14; update t set note = 'pad' where id = 15;
        """;

    public static TheoryData<string, string> Wrongs => new()
    {
        { "select 1", "" },
        { "update t set note = 'N|4' where id = 4", "4 note" },
        { "update t set b = x.b from t x where t.id in (60, 61) and x.id = 121 - t.id", "60 b;61 b" },
        { "update t set b = '' where id = 14", "14 b" },
        { "update t set n = 0.0 where id = 13", "13 n" },
        { "update t set f = 0 where id = 14", "14 f" },
        { "delete from t where id = 40", "40 missing" },
        { "insert into t(id, flag, at) values (5000, 'Y', now())", "5000 extra" },
        { "update t set note = 'pad ' where id = 15", "15 note" },
        { "update t set at = at + interval '1 microsecond' where id = 16", "16 at" },
        { "update t set f = '-0' where id = 11", "11 f" },
        { "update t set doc = '1.0' where id = 12", "12 doc" },
        { "update t set n = n * 1.00 where id = 8", "8 n" },
        { "update t set b = 'x|y', note = 'z' where id = 1", "1 b,note" },
        { "update t set id = case id when 70 then -71 else -70 end where id in (70, 71); update t set id = -id where id < 0", "70 b,n,f,at,note,doc;71 b,n,f,at,note,doc" },
    };

    [Theory]
    [MemberData(nameof(Wrongs))]
    public async Task A_wrong_row_is_found_with_its_column(string tamper, string expected)
    {
        await using var scene = await SidesScene.CreateAsync(postgres, Schema);
        await scene.Target.ExecuteAsync(tamper);
        var table = await scene.TableAsync();
        Assert.Equal((ChunkOrder.KeyRanges, HashPlace.Database), (table.Order, table.Hashing));
        Assert.Equal(expected, string.Join(';', await scene.DifferencesAsync(table)));
        Assert.Equal(expected.Length == 0 ? 0 : expected.Split(';').Length, (await scene.DifferencesAsync(table with { Hashing = HashPlace.Here })).Count);
    }

    /// <summary>Hashes whose sum or exclusive or is linear miss an even number of equal changes.</summary>
    [Fact]
    public async Task The_same_change_of_a_thousand_rows_is_found_in_each_of_them()
    {
        await using var scene = await SidesScene.CreateAsync(postgres, Schema);
        await scene.Target.ExecuteAsync("update t set flag = 'N' where id > 1000");
        var table = await scene.TableAsync();
        Assert.Equal(1000, (await scene.DifferencesAsync(table)).Count(row => row.EndsWith(" flag", StringComparison.Ordinal)));
    }
}
