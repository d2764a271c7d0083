using CdcMigrator.Domain.Tables;
using CdcMigrator.TestKit.Events;
using static CdcMigrator.UnitTests.Debezium.DecodedRow;

namespace CdcMigrator.UnitTests.Debezium.Logical;

/// <summary>Every logical type, its special values, and what cannot be carried.</summary>
internal static class LogicalCases
{
    private const string Ph = "__debezium_unavailable_value";

    private static readonly TargetColumn Date = V(ColumnKind.Date, "date");
    private static readonly TargetColumn Time = V(ColumnKind.Time, "time");
    private static readonly TargetColumn Time3 = V(ColumnKind.Time, "time", 3);
    private static readonly TargetColumn Stamp = V(ColumnKind.Timestamp, "timestamp");
    private static readonly TargetColumn Stamp3 = V(ColumnKind.Timestamp, "timestamp", 3);
    private static readonly TargetColumn Zoned = V(ColumnKind.TimestampTz, "timestamptz");
    private static readonly TargetColumn Numeric = V(ColumnKind.Numeric, "numeric");
    private static readonly TargetColumn Money = V(ColumnKind.Money, "money");
    private static readonly TargetColumn Bytea = V(ColumnKind.Bytes, "bytea");
    private static readonly TargetColumn Interval = V(ColumnKind.Interval, "interval");
    private static readonly TargetColumn Hstore = V(ColumnKind.Hstore, "hstore");
    private static readonly TargetColumn Text = V(ColumnKind.Text, "text");
    private static readonly TargetColumn Box = V(ColumnKind.Opaque, "box");

    public static readonly LogicalCase[] All =
    [
        // Plain values
        new(V(ColumnKind.Boolean, "boolean"), T("boolean"), "true", "t"),
        new(V(ColumnKind.Boolean, "boolean"), T("boolean"), "false", "f"),
        new(V(ColumnKind.Boolean, "boolean"), T("int16"), "1", "t"),
        new(V(ColumnKind.Integer, "bigint"), T("int64"), "-9223372036854775808", "-9223372036854775808"),
        new(V(ColumnKind.Integer, "bigint"), T("int64"), "9007199254740993", "9007199254740993"),
        new(V(ColumnKind.Integer, "integer"), T("int32"), "null", Null),
        new(V(ColumnKind.Float, "double precision"), T("float64"), "0.1", "0.1"),
        new(V(ColumnKind.Float, "double precision"), T("float64"), "1.7976931348623157E308", "1.7976931348623157E308") { ExpectedOfAvro = "1.7976931348623157E+308" },
        new(V(ColumnKind.Float, "double precision"), T("float64"), "\"NaN\"", "NaN"),
        new(V(ColumnKind.Float, "double precision"), T("float64"), "\"-Infinity\"", "-Infinity"),
        new(V(ColumnKind.Float, "real"), T("float32"), "-0.0", "-0.0") { ExpectedOfAvro = "-0" },
        new(V(ColumnKind.Float, "real"), T("float32"), "1.4E-45", "1.4E-45") { ExpectedOfAvro = "1E-45" },
        new(Text, T("string"), "\"\"", ""),
        new(Text, T("string"), "\"a\\\"b\\\\\\u0001\\ud83d\\ude00é\"", "a\"b\\\u0001😀é"),
        new(Text, T("string"), $"\"{Ph}\"", Unavailable),
        new(Text, T("string"), $"\"{Ph}!\"", Ph + "!"),
        new(V(ColumnKind.Text, "json"), T("string", "io.debezium.data.Json"), "\"{\\\"b\\\" : 1e400}\"", "{\"b\" : 1e400}"),
        new(V(ColumnKind.Text, "uuid"), T("string", "io.debezium.data.Uuid"), "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        new(V(ColumnKind.Text, "public.mood"), T("string", "io.debezium.data.Enum"), "\"très bad\"", "très bad"),
        new(Text, T("string", "io.debezium.data.EnumSet"), "\"x,z w\"", "x,z w"),
        new(V(ColumnKind.Integer, "integer"), T("int32", "io.debezium.time.Year"), "2024", "2024"),

        // Dates
        new(Date, T("int32", "io.debezium.time.Date"), "19782", "2024-02-29"),
        new(Date, T("int32", "io.debezium.time.Date"), "-1", "1969-12-31"),
        new(Date, T("int32", "io.debezium.time.Date"), "-719162", "0001-01-01"),
        new(Date, T("int32", "io.debezium.time.Date"), "-719163", "0001-12-31 BC"),
        new(Date, T("int32", "io.debezium.time.Date"), "-735160", "0044-03-15 BC"),
        new(Date, T("int32", "io.debezium.time.Date"), "-2440588", "4714-11-24 BC"),
        new(Date, T("int32", "io.debezium.time.Date"), "2145042905", "5874897-12-31"),
        new(Date, T("int32", "io.debezium.time.Date"), "-2147472692", "infinity"),
        new(Date, T("int32", "io.debezium.time.Date"), "-2147472691", "-infinity"),
        new(Date, T("int32", "io.debezium.time.Date"), "-622191234", "infinity") { Snapshot = true },
        new(Date, T("int32", "io.debezium.time.Date"), "-625821272", "-infinity") { Snapshot = true },
        new(Date, T("int32", "io.debezium.time.Date"), "-141417", "1582-10-25") { Snapshot = true },
        new(Date, T("int32", "io.debezium.time.Date"), "-141418", Reselect) { Snapshot = true },
        new(Date, T("int32", "io.debezium.time.Date"), "-141418", "1582-10-24"),
        new(Date, T("int32", "io.debezium.time.Date"), "2145042906", Reselect),
        new(Date, T("int32", "org.apache.kafka.connect.data.Date"), "0", "1970-01-01") { Settings = [("time.precision.mode", "connect")] },
        new(Date, T("string", "io.debezium.time.IsoDate"), "\"2017-09-15Z\"", "2017-09-15") { Settings = [("time.precision.mode", "isostring")] },
        new(Date, T("string", "io.debezium.time.IsoDate"), "\"+292278994-08-16Z\"", Reselect) { Settings = [("time.precision.mode", "isostring")] },

        new(Date, T("struct", "io.debezium.time.StructuredDate", F("int32", "year"), F("int32", "month")), "{\"year\":2024,\"month\":2}", Reselect)
        {
            Settings = [("time.precision.mode", "structured")],
        },

        // Times
        new(Time, T("int64", "io.debezium.time.MicroTime"), "45296789012", "12:34:56.789012"),
        new(Time, T("int64", "io.debezium.time.MicroTime"), "45296700000", "12:34:56.7"),
        new(Time, T("int64", "io.debezium.time.MicroTime"), "86400000000", "24:00:00"),
        new(Time, T("int64", "io.debezium.time.MicroTime"), "1", "00:00:00.000001"),
        new(Time3, T("int32", "io.debezium.time.Time"), "45296789", "12:34:56.789") { Settings = [("time.precision.mode", "adaptive")] },
        new(Time, T("int64", "io.debezium.time.MicroTime"), "45296789012", "12:34:56.789012") { Settings = [("time.precision.mode", "adaptive")] },
        new(Time3, T("int64", "io.debezium.time.MicroTime"), "45296789000", "12:34:56.789") { Settings = [("time.precision.mode", "adaptive_time_microseconds")] },
        new(Time, T("int64", "io.debezium.time.NanoTime"), "45296789012000", "12:34:56.789012") { Settings = [("time.precision.mode", "nanoseconds")] },
        new(Time3, T("int32", "org.apache.kafka.connect.data.Time"), "45296789", "12:34:56.789") { Settings = [("time.precision.mode", "connect")] },
        new(Time, T("int32", "org.apache.kafka.connect.data.Time"), "45296789", Reselect) { Settings = [("time.precision.mode", "connect")] },
        new(Time, T("string", "io.debezium.time.IsoTime"), "\"04:05:11.789Z\"", "04:05:11.789") { Settings = [("time.precision.mode", "isostring")] },
        new(Time, T("string", "io.debezium.time.IsoTime"), "\"00:00:00Z\"", Reselect) { Settings = [("time.precision.mode", "isostring")] },
        new(V(ColumnKind.TimeTz, "timetz"), T("string", "io.debezium.time.ZonedTime"), "\"07:04:56Z\"", Reselect),

        // Timestamps
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "1709210096789012", "2024-02-29 12:34:56.789012"),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "-1", "1969-12-31 23:59:59.999999"),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "-210866803200000000", "4714-11-24 00:00:00 BC"),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "9223372036854775806", "294247-01-10 04:00:54.775806"),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "9223372036854775807", Reselect),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "-9223372036853775810", Reselect),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "9223372036825200000", "infinity"),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "-9223372036832400000", "-infinity"),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "-12218515200000000", Reselect) { Snapshot = true },
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "-12218515200000000", "1582-10-24 00:00:00"),
        new(Stamp3, T("int64", "io.debezium.time.Timestamp"), "1709210096789", "2024-02-29 12:34:56.789") { Settings = [("time.precision.mode", "adaptive")] },
        new(Stamp3, T("int64", "io.debezium.time.Timestamp"), "9223372036825200000", "infinity") { Settings = [("time.precision.mode", "adaptive")] },
        new(Stamp3, T("int64", "org.apache.kafka.connect.data.Timestamp"), "0", "1970-01-01 00:00:00") { Settings = [("time.precision.mode", "connect")] },
        new(Stamp, T("int64", "org.apache.kafka.connect.data.Timestamp"), "0", Reselect) { Settings = [("time.precision.mode", "connect")] },
        new(Stamp, T("int64", "io.debezium.time.NanoTimestamp"), "1709210096789012000", Reselect) { Settings = [("time.precision.mode", "nanoseconds")] },
        new(Stamp, T("string", "io.debezium.time.IsoTimestamp"), "\"2017-09-15T04:05:11.789Z\"", "2017-09-15 04:05:11.789") { Settings = [("time.precision.mode", "isostring")] },
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-29T10:34:56.789012Z\"", "2024-02-29 10:34:56.789012+00"),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-29T10:34:56Z\"", "2024-02-29 10:34:56+00"),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"+20000-01-01T00:00:00.100000Z\"", "20000-01-01 00:00:00.1+00"),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"-0043-03-15T12:00:00.000000Z\"", "0044-03-15 12:00:00+00 BC"),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"0000-12-31T12:00:00Z\"", "0001-12-31 12:00:00+00 BC"),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-29T10:34:56+05:30\"", "2024-02-29 10:34:56+05:30"),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"-infinity\"", "-infinity"),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"1582-10-20T00:00:00Z\"", Reselect) { Snapshot = true },

        // Intervals
        new(Interval, T("string", "io.debezium.time.Interval"), "\"P0Y1M2DT0H0M3.5S\"", "1 mon 2 days 00:00:03.5"),
        new(Interval, T("string", "io.debezium.time.Interval"), "\"P0Y-1M-2DT0H0M-3.5S\"", "-1 mons -2 days -00:00:03.5"),
        new(Interval, T("string", "io.debezium.time.Interval"), "\"P-1Y-2M3DT-4H-5M-6.789S\"", "-1 years -2 mons +3 days -04:05:06.789"),
        new(Interval, T("string", "io.debezium.time.Interval"), "\"P0Y0M-1DT0H0M1S\"", "-1 days +00:00:01"),
        new(Interval, T("string", "io.debezium.time.Interval"), "\"P0Y0M0DT0H0M-0.000001S\"", "-00:00:00.000001"),
        new(Interval, T("string", "io.debezium.time.Interval"), "\"P0Y0M0DT0H0M0S\"", "00:00:00"),
        new(Interval, T("string", "io.debezium.time.Interval"), "\"P178956970Y7M0DT2562047H0M0S\"", "178956970 years 7 mons 2562047:00:00"),
        new(Interval, T("int64", "io.debezium.time.MicroDuration"), "2629800000000", Reselect) { Settings = [("interval.handling.mode", "numeric")] },

        // Decimals
        new(Numeric, T("string"), "\"1.1000\"", "1.1000"),
        new(Numeric, T("string"), "\"-99999999999999999999.9999\"", "-99999999999999999999.9999"),
        new(Numeric, T("string"), "\"NAN\"", "NaN"),
        new(Numeric, T("string"), "\"POSITIVE_INFINITY\"", "Infinity"),
        new(Numeric, T("string"), "\"NEGATIVE_INFINITY\"", "-Infinity"),
        new(Numeric, T("string"), $"\"{Ph}\"", Unavailable),
        new(Numeric, Decimal(2), "\"ew==\"", "1.23") { NeedsSchema = true },
        new(Numeric, Decimal(2), "\"hQ==\"", "-1.23") { NeedsSchema = true },
        new(Numeric, Decimal(4), "\"AA==\"", "0.0000") { NeedsSchema = true },
        new(Numeric, Decimal(4), "\"/w==\"", "-0.0001") { NeedsSchema = true },
        new(Numeric, Decimal(0), "\"AP//////////\"", "18446744073709551615") { NeedsSchema = true },
        new(Numeric, Decimal(-2), "\"ew==\"", "12300") { NeedsSchema = true },
        new(Numeric, Decimal(30), "\"AP////////////////////8=\"", "340282366.920938463463374607431768211455") { NeedsSchema = true },
        new(Numeric, T("struct", "io.debezium.data.VariableScaleDecimal", F("int32", "scale"), F("bytes", "value")), "{\"scale\":3,\"value\":\"ew==\"}", "0.123")
        {
            Settings = [("decimal.handling.mode", "precise")],
        },
        new(Numeric, T("float64"), "1.1", Reselect) { Settings = [("decimal.handling.mode", "double")] },
        new(Money, T("string"), "\"-92233720368547758.08\"", "-92233720368547758.08"),
        new(Money, T("string"), "\"1.1\"", "1.1") { Snapshot = true },
        new(Money, T("string"), "\"-9.223372036854776E16\"", Reselect) { Snapshot = true },
        new(Money, T("string"), "\"92233720368547758.07\"", Reselect) { Snapshot = true },
        new(Money, Decimal(2), "\"f/////////8=\"", "92233720368547758.07") { Settings = [("decimal.handling.mode", "precise")] },
        new(Money, Decimal(2), "\"f/////////8=\"", Reselect) { Settings = [("decimal.handling.mode", "precise")], Snapshot = true },

        // Bytes and bits
        new(Bytea, T("bytes"), "\"AAH/\"", "\\x0001ff"),
        new(Bytea, T("bytes"), "\"\"", "\\x"),
        new(Bytea, T("bytes"), "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"", Unavailable),
        new(Bytea, T("string"), "\"0001FF\"", "\\x0001ff") { Settings = [("binary.handling.mode", "hex")] },
        new(Bytea, T("string"), $"\"{Ph}\"", Unavailable) { Settings = [("binary.handling.mode", "hex")] },
        new(Bytea, T("string"), "\"+/8=\"", "\\xfbff") { Settings = [("binary.handling.mode", "base64")] },
        new(Bytea, T("string"), "\"-_8=\"", "\\xfbff") { Settings = [("binary.handling.mode", "base64-url-safe")] },
        new(Bytea, T("string"), "null", Reselect) { Settings = [("binary.handling.mode", "base64")] },
        new(V(ColumnKind.Bit, "bit", 1), T("boolean"), "true", "1"),
        new(V(ColumnKind.Bit, "bit", 12), Bits(12), "\"AQo=\"", "101000000001"),
        new(V(ColumnKind.Bit, "bit", 12), Bits(12), "\"\"", "000000000000"),
        new(V(ColumnKind.Bit, "bit", 12), Bits(12), "\"/w8=\"", "111111111111"),
        new(V(ColumnKind.VarBit, "bit varying", 12), Bits(12), "\"BQ==\"", Reselect),
        new(Box, T("bytes"), "\"KDEuMCwxLjApLCgwLjAsMC4wKQ==\"", "(1.0,1.0),(0.0,0.0)"),
        new(Box, T("bytes"), "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"", Unavailable),
        new(Box, T("string"), "\"2831\"", "(1") { Settings = [("binary.handling.mode", "hex")] },
        new(Box, T("bytes"), "\"KDE=\"", Reselect) { Settings = [("include.unknown.datatypes", "false")] },

        // Structs and maps
        new(V(ColumnKind.Point, "point"), Point, "{\"x\":1.1,\"y\":-2.5,\"wkb\":\"AQ==\",\"srid\":null}", "(1.1,-2.5)"),
        new(V(ColumnKind.Opaque, "public.geometry", baseName: "geometry"), Geometry, "{\"wkb\":\"AQEAAAAAAAAAAADwPwAAAAAAAABA\",\"srid\":4326}",
            "0101000020e6100000000000000000f03f0000000000000040"),
        new(V(ColumnKind.Opaque, "public.geometry", baseName: "geometry"), Geometry, "{\"wkb\":\"AQEAAAAAAAAAAADwPwAAAAAAAABA\",\"srid\":null}",
            "0101000000000000000000f03f0000000000000040"),
        new(V(ColumnKind.Opaque, "public.vector", baseName: "vector"), Array("{\"type\":\"float64\"}", "io.debezium.data.DoubleVector"), "[1.5,-2]", "[1.5,-2]"),
        new(Hstore, T("string", "io.debezium.data.Json"), "\"{\\\"a\\\":\\\"1\\\",\\\"q\\\\\\\"\\\":null}\"", "\"a\"=>\"1\", \"q\\\"\"=>NULL"),
        new(Hstore, T("string", "io.debezium.data.Json"), "\"{}\"", ""),
        new(Hstore, T("string", "io.debezium.data.Json"), $"\"{{\\\"{Ph}\\\":\\\"{Ph}\\\"}}\"", Unavailable),
        new(Hstore, Map, "{\"a\":\"1\",\"b\":null}", "\"a\"=>\"1\", \"b\"=>NULL") { Settings = [("hstore.handling.mode", "map")] },
        new(Hstore, Map, $"{{\"{Ph}\":\"{Ph}\"}}", Unavailable) { Settings = [("hstore.handling.mode", "map")] },

        // Arrays
        new(A(ColumnKind.Integer, "int4"), Array(T("int32")), "[1,null,-3]", "{1,NULL,-3}"),
        new(A(ColumnKind.Integer, "int4"), Array(T("int32")), "[]", "{}"),
        new(A(ColumnKind.Integer, "int4"), Array(T("int32")), $"[{string.Join(',', Ph.Select(c => (int)c))}]", Unavailable),
        new(A(ColumnKind.Integer, "int4"), Array(T("int32")), $"[{string.Join(',', Ph.Select(c => (int)c))},1]", $"{{{string.Join(',', Ph.Select(c => (int)c))},1}}"),
        new(A(ColumnKind.Integer, "int4"), Array(T("int32")), "[null,null]", Reselect),
        new(A(ColumnKind.Integer, "int4"), Array(T("int32")), "null", Null),
        new(A(ColumnKind.Integer, "int2"), Array(T("int16")), "null", Reselect),
        new(A(ColumnKind.Text, "text"), Array(T("string")), "[\"a\",\"b c\",null,\"null\",\"\",\"q\\\"\\\\\",\"{x}\",\"c,d\"]", "{a,\"b c\",NULL,\"null\",\"\",\"q\\\"\\\\\",\"{x}\",\"c,d\"}"),
        new(A(ColumnKind.Text, "text"), Array(T("string")), $"[\"{Ph}\"]", Unavailable),
        new(A(ColumnKind.Text, "text"), Array(T("string")), $"[\"{Ph}\",\"b\"]", Reselect),
        new(A(ColumnKind.Text, "text"), Array(T("string")), "[\"[Ljava.lang.String;@7579cc4\",\"[Ljava.lang.String;@1\"]", Reselect),
        new(A(ColumnKind.Text, "uuid"), Array(T("string", "io.debezium.data.Uuid")), "[\"b68a35a7-17ad-35b3-af2a-ae46edb4545a\"]", Unavailable),
        new(A(ColumnKind.Bytes, "bytea"), Array(T("bytes")), "[\"AP8=\",null]", "{\"\\\\x00ff\",NULL}"),
        new(A(ColumnKind.Bytes, "bytea"), Array(T("bytes")), "[\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"]", Unavailable),
        new(A(ColumnKind.Boolean, "bool"), Array(T("boolean")), "[true,false,null]", "{t,f,NULL}"),
        new(A(ColumnKind.Numeric, "numeric"), Array(T("string")), "[\"1.10\",null]", "{1.10,NULL}"),
        new(A(ColumnKind.Hstore, "hstore"), Array(T("string")), "[\"{\\\"a\\\":\\\"1\\\"}\"]", "{\"\\\"a\\\"=>\\\"1\\\"\"}"),
        new(A(ColumnKind.Timestamp, "timestamp"), Array(T("int64", "io.debezium.time.MicroTimestamp")), "[1709210096789000,null]", "{\"2024-02-29 12:34:56.789\",NULL}"),
        new(A(ColumnKind.Timestamp, "timestamp"), Array(T("int64", "io.debezium.time.MicroTimestamp")), "[-12218515200000000]", Reselect),
        new(A(ColumnKind.Date, "date"), Array(T("int32", "io.debezium.time.Date")), "[19782]", Reselect),
        new(A(ColumnKind.Text, "ltree"), Array(T("string")), "null", Reselect),
    ];

    public static readonly LogicalCase[] MariaDb =
    [
        new(Numeric, Decimal(0), "\"AP//////////\"", "18446744073709551615"),
        new(Numeric, Decimal(0), "\"AQ==\"", "1"),
        new(V(ColumnKind.Boolean, "boolean"), T("int16"), "0", "f"),
        new(V(ColumnKind.Float, "real", baseName: "float4"), T("float32"), "3.402823E38", "3.402823E38") { ExpectedOfAvro = "3.402823E+38" },
        new(V(ColumnKind.Float, "real", baseName: "float4"), T("float32"), "3.40282E38", Reselect) { Snapshot = true },
        new(Interval, T("int64", "io.debezium.time.MicroTime"), "-3020399999999", "-838:59:59.999999"),
        new(Date, T("int32", "io.debezium.time.Date"), "-719162", "0001-01-01"),
        new(V(ColumnKind.Bit, "bit", 12), Bits(12), "\"AAA=\"", "000000000000"),

        // bigint unsigned in an integer column, set as array, bytes as uuid, geometry as bytes
        new(V(ColumnKind.Integer, "bigint"), Decimal(0), "\"f/////////8=\"", "9223372036854775807"),
        new(V(ColumnKind.Integer, "bigint"), Decimal(0), "\"AA==\"", "0"),
        new(V(ColumnKind.Integer, "bigint"), T("int64"), "-12", "-12"),
        new(A(ColumnKind.Text, "text"), T("string", "io.debezium.data.EnumSet"), "\"x,y\\\"q,z w\"", """{x,"y\"q","z w"}"""),
        new(A(ColumnKind.Text, "text"), T("string", "io.debezium.data.EnumSet"), "\"\"", "{}"),
        new(V(ColumnKind.Text, "uuid", baseName: "uuid"), T("bytes"), "\"ABEiM0RVZneImaq7zN3u/w==\"", "00112233445566778899aabbccddeeff"),
        new(V(ColumnKind.Text, "uuid", baseName: "uuid"), T("string"), "\"123e4567-e89b-12d3-a456-426614174000\"", "123e4567-e89b-12d3-a456-426614174000"),
        new(V(ColumnKind.Text, "uuid", baseName: "uuid"), T("string"), "\"00123e45-67e8-9b12-d3a4-564266141740\"", Reselect),
        new(V(ColumnKind.Text, "uuid", baseName: "uuid"), T("string"), "\"00123e45-67e8-9b12-d3a4-564266141740\"", "00123e45-67e8-9b12-d3a4-564266141740") { Snapshot = true },
        new(Bytea, Geometry, "{\"wkb\":\"AQEAAAA=\",\"srid\":4326}", "\\x0101000000"),

        // datetime and timestamp in either of PostgreSQL's timestamp types; what may be a zero date is read from the source
        new(Zoned, T("int64", "io.debezium.time.MicroTimestamp"), "1709210096700000", "2024-02-29 12:34:56.7"),
        new(Stamp, T("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-29T12:34:56Z\"", "2024-02-29 12:34:56+00"),
        new(Date, T("int32", "io.debezium.time.Date"), "0", Reselect),
        new(Stamp, T("int64", "io.debezium.time.MicroTimestamp"), "0", Reselect),
        new(Zoned, T("string", "io.debezium.time.ZonedTimestamp"), "\"1970-01-01T00:00:00Z\"", Reselect),
    ];

    private static string Point => T("struct", "io.debezium.data.geometry.Point", F("float64", "x"), F("float64", "y"), F("bytes", "wkb", true), F("int32", "srid", true));

    private static string Geometry => T("struct", "io.debezium.data.geometry.Geometry", F("bytes", "wkb"), F("int32", "srid", true));

    private static string Map => "{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"string\",\"optional\":true}}";

    private static string Bits(int length) => $"{{\"type\":\"bytes\",\"name\":\"io.debezium.data.Bits\",\"parameters\":{{\"length\":\"{length}\"}}}}";

    private static string Decimal(int scale) => $"{{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{{\"scale\":\"{scale}\"}}}}";

    private static string Array(string items, string? name = null) =>
        $"{{\"type\":\"array\",{(name is null ? "" : $"\"name\":\"{name}\",")}\"items\":{items[..^1]},\"optional\":true}}}}";

    private static string F(string type, string field, bool optional = false) => $"{{\"type\":\"{type}\",\"field\":\"{field}\",\"optional\":{(optional ? "true" : "false")}}}";

    private static string T(string type, string? name = null, params string[] fields) =>
        $"{{\"type\":\"{type}\"{(name is null ? "" : $",\"name\":\"{name}\"")}{(fields.Length == 0 ? "" : $",\"fields\":[{string.Join(',', fields)}]")}}}";

    private static TargetColumn V(ColumnKind kind, string sql, int modifier = -1, string? baseName = null) => TestRoutes.Column("v", kind, sql, baseName, modifier);

    private static TargetColumn A(ColumnKind element, string baseName) => TestRoutes.Array("v", element, baseName, baseName);
}
