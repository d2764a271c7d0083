using CdcMigrator.TestKit.Databases;

namespace CdcMigrator.IntegrationTests.Embedded;

public sealed class RecordTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Snapshot_and_stream_carry_the_same_text_for_every_type()
    {
        const string Row = """
            'k"\ü', 'ab', true, -1.50, 'NaN', 1e-300, '2024-02-29', '0044-03-15 BC', '2024-01-01 12:00+05:30', '1 mon -2 days 03:04:05.6',
            E'\\xdead00', '10.0.0.1', '{{1,2},{NULL,4}}', '{"a": [1, null]}', '(1,"x y")', '<?xml version="1.0"?><a/>', E'tab\tnl\ncr\rbs\\ \u0001 😀', '', NULL, '-12.34', 'x'
            """;
        await using var scene = await LogScene.CreateAsync(postgres, """
            create type pair as (a int, b text);
            create table zoo(id int primary key, k text, c char(5), b bool, n numeric, nn numeric, f float8, d date, d2 timestamp, tz timestamptz, i interval,
                by bytea, ip inet, arr int[][], j jsonb, p pair, x xml, t text, e text, nul text, m money, v "char", g int generated always as (id * 2) stored);
            """, "public.zoo");
        await scene.Source.ExecuteAsync($"insert into zoo values (1, {Row})");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Source.ExecuteAsync($"insert into zoo values (2, {Row})");
        await scene.UntilAsync(() => scene.Seen("public.zoo").Count == 2);

        var snapshot = scene.Seen("public.zoo")[0];
        var streamed = scene.Seen("public.zoo")[1];
        Assert.Equal(("r", "c"), (snapshot.Op, streamed.Op));
        Assert.Equal(snapshot.After!.Replace("\"id\":\"1\"", "\"id\":\"2\"", StringComparison.Ordinal), streamed.After);
        Assert.Equal("""{"id":"1"}""", snapshot.Key);
        Assert.Equal("ab   ", streamed.Column("c"));
        Assert.Equal("t", streamed.Column("b"));
        Assert.Equal("0044-03-15 00:00:00 BC", streamed.Column("d2"));
        Assert.Equal("2024-01-01 06:30:00+00", streamed.Column("tz"));
        Assert.Equal("1 mon -2 days +03:04:05.6", streamed.Column("i"));
        Assert.Equal(@"\xdead00", streamed.Column("by"));
        Assert.Equal("{{1,2},{NULL,4}}", streamed.Column("arr"));
        Assert.Equal("tab\tnl\ncr\rbs\\ \u0001 😀", streamed.Column("t"));
        Assert.Equal("", streamed.Column("e"));
        Assert.Null(streamed.Column("nul"));
        Assert.Equal("-$12.34", streamed.Column("m"));
        Assert.DoesNotContain("\"g\"", snapshot.After, StringComparison.Ordinal);
        Assert.DoesNotContain("\"g\"", streamed.After, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Update_and_delete_look_as_Debezium_writes_them()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(id int primary key, v text)", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, 'a')");
        await scene.Source.ExecuteAsync("update t set v = 'b'");
        await scene.Source.ExecuteAsync("delete from t");
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 4);

        var records = scene.Seen("public.t");
        Assert.Equal(["c", "u", "d", null], records.Select(record => record.Op));
        Assert.All(records, record => Assert.Equal("""{"id":"1"}""", record.Key));
        Assert.Null(records[1].Before);
        Assert.Equal("""{"id":"1","v":"b"}""", records[1].After);
        Assert.Equal("""{"id":"1","v":null}""", records[2].Before);
        Assert.Null(records[2].After);
        Assert.Null(records[3].Value);
        var source = records[1].Source;
        Assert.Equal(("postgresql", "p", "false", "public", "t"), (source["connector"]!.GetValue<string>(), source["name"]!.GetValue<string>(),
            source["snapshot"]!.GetValue<string>(), source["schema"]!.GetValue<string>(), source["table"]!.GetValue<string>()));
        Assert.InRange(source["ts_ms"]!.GetValue<long>(), DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeMilliseconds());
        Assert.True(source["txId"]!.GetValue<uint>() > 0);
        Assert.Equal(records[1].Position.Lsn, source["lsn"]!.GetValue<ulong>());
    }

    [Fact]
    public async Task Key_change_is_a_delete_of_the_old_and_an_insert_of_the_new_key()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(a int, b text, v text, primary key (b, a))", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, 'x', 'v')");
        await scene.Source.ExecuteAsync("update t set a = 2");
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 4);

        var old = scene.Seen("public.t").Where(record => record.Key == """{"b":"x","a":"1"}""").ToList();
        var created = Assert.Single(scene.Seen("public.t"), record => record.Key == """{"b":"x","a":"2"}""");
        Assert.Equal(["c", "d", null], old.Select(record => record.Op));
        Assert.Equal("""{"b":"x","a":"2"}""", old[1].Headers["__debezium.newkey"]);
        Assert.Equal("""{"b":"x","a":"2"}""", old[2].Headers["__debezium.newkey"]);
        Assert.Equal("""{"b":"x","a":"1"}""", created.Headers["__debezium.oldkey"]);
        Assert.Equal("c", created.Op);
        Assert.Equal(old[1].Position, created.Position);
        Assert.Equal("""{"a":"2","b":"x","v":"v"}""", created.After);
    }

    [Theory]
    [InlineData("default", "[]")]
    [InlineData("full", "text")]
    public async Task Unchanged_TOAST_value_is_an_empty_array_unless_the_old_row_carries_it(string identity, string expected)
    {
        await using var scene = await LogScene.CreateAsync(postgres, $"""
            create table t(id int primary key, n int, big text);
            alter table t alter column big set storage external;
            alter table t replica identity {identity};
            """, "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, 1, repeat('x', 9000))");
        await scene.Source.ExecuteAsync("update t set n = 2");
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 2);

        var update = scene.Seen("public.t")[1];
        var whole = $"\"{new string('x', 9000)}\"";
        Assert.Equal($$"""{"id":"1","n":"2","big":{{(expected == "[]" ? "[]" : whole)}}}""", update.After);
        Assert.Equal(expected == "[]" ? null : $$"""{"id":"1","n":"1","big":{{whole}}}""", update.Before);
    }

    [Fact]
    public async Task Positions_never_fall_within_a_partition_even_when_transactions_interleave()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(id int primary key, v int)", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await using var first = await scene.Source.DataSource.OpenConnectionAsync();
        await using var second = await scene.Source.DataSource.OpenConnectionAsync();
        await using var one = await first.BeginTransactionAsync();
        await using var two = await second.BeginTransactionAsync();
        for (var i = 0; i < 40; i++)
        {
            await using var command = new Npgsql.NpgsqlCommand($"insert into t values ({i}, 0)", i % 2 == 0 ? first : second);
            await command.ExecuteNonQueryAsync();
        }

        await two.CommitAsync();
        await one.CommitAsync();
        await scene.UntilAsync(() => scene.Seen("public.t").Count == 40);
        foreach (var partition in scene.Seen("public.t").GroupBy(record => record.Partition))
        {
            Assert.Equal(partition.Select(record => record.Position).Order(), partition.Select(record => record.Position));
        }

        Assert.Equal(2, scene.Seen("public.t").Select(record => record.Position.Commit).Distinct().Count());
        Assert.True(scene.Seen("public.t").Select(record => record.Partition).Distinct().Count() > 1);
    }

    [Fact]
    public async Task Truncate_comes_behind_all_earlier_and_before_all_later_rows_of_the_table()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(id int primary key, v int)", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Source.ExecuteAsync("insert into t select g, 0 from generate_series(1, 500) g; truncate t; insert into t values (7, 7)");
        await scene.UntilConfirmedAsync();

        Assert.Equal(["""{"id":"7","v":"7"}"""], scene.Lanes.RowsOf("p.public.t"));
        var truncate = Assert.Single(scene.Seen("public.t"), record => record.Op == "t");
        Assert.Null(truncate.Key);
    }

    [Fact]
    public async Task Record_above_the_limit_stops_the_log_by_table_and_key_and_the_slot_stays_before_it()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(id int primary key, v text)", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Source.ExecuteAsync("insert into t values (1, repeat('x', 4100000))");
        await scene.UntilAsync(() => scene.Seen("public.t").Count > 0);
        await scene.UntilConfirmedAsync();
        await scene.Source.ExecuteAsync("insert into t values (2, repeat('x', 4200000))");
        await scene.Log.Completion;

        var fault = scene.Log.Status.Fault!;
        Assert.True(scene.Log.Status.Stopped);
        Assert.Equal(("record-too-large", "public.t", """{"id":"2"}"""), (fault.Code, fault.Table, fault.Key));
        Assert.Single(scene.Seen("public.t"), record => record.Op is not null);

        // The slot stands before it: the next life meets it again.
        await scene.RestartAsync();
        await scene.Log.Completion.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("record-too-large", scene.Log.Status.Fault!.Code);
    }

    [Fact]
    public async Task Large_records_of_one_lane_in_a_row_all_arrive()
    {
        await using var scene = await LogScene.CreateAsync(postgres, "create table t(id int primary key, v text)", "public.t");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        foreach (var letter in new[] { 'a', 'b', 'c' })
        {
            await scene.Source.ExecuteAsync($"insert into t values (1, repeat('{letter}', 4100000)) on conflict (id) do update set v = excluded.v");
        }

        await scene.Source.ExecuteAsync("update t set v = 'small' where id = 1");
        await scene.UntilConfirmedAsync();

        Assert.Equal(["""{"id":"1","v":"small"}"""], scene.Lanes.RowsOf("p.public.t"));
        Assert.Equal(["c", "u", "u", "u"], scene.Seen("public.t").Select(record => record.Op).OfType<string>());
    }

    [Fact]
    public async Task Changes_of_a_partition_arrive_under_the_name_of_the_root()
    {
        await using var scene = await LogScene.CreateAsync(postgres, """
            create table t(id int primary key, v text) partition by range (id);
            create table t1 partition of t for values from (0) to (10); create table t2 partition of t for values from (10) to (20);
            """, "public.t");
        await scene.Source.ExecuteAsync("insert into t values (1, 'a'), (11, 'b')");
        await scene.StartAsync();
        await scene.UntilStreamingAsync();
        await scene.Source.ExecuteAsync("update t set id = 12, v = 'c' where id = 1");
        await scene.UntilConfirmedAsync();
        Assert.Equal(["""{"id":"11","v":"b"}""", """{"id":"12","v":"c"}"""], scene.Lanes.RowsOf("p.public.t"));
    }
}
