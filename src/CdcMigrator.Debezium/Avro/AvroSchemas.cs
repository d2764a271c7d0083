using System.Globalization;
using System.Text;
using System.Text.Json;
using CdcMigrator.Debezium.Logical;
using Schema = Avro.Schema;

namespace CdcMigrator.Debezium.Avro;

/// <summary>Compiles a registry's schema, once for each id.</summary>
internal sealed class AvroSchemas
{
    private const int DeepestNesting = 32;
    private const int MostNodes = 200_000;
    private int nodes;

    private AvroSchemas()
    {
    }

    /// <summary>Compiles a schema's JSON.</summary>
    /// <exception cref="FormatException">It is no schema, or one without end.</exception>
    public static AvroNode Compile(string json) => new AvroSchemas().Node(Schema.Parse(json), 0);

    private AvroNode Node(Schema schema, int depth)
    {
        if (depth > DeepestNesting || ++nodes > MostNodes)
        {
            throw new FormatException("an Avro schema nests too deep");
        }

        switch (schema)
        {
            case global::Avro.LogicalSchema logical:
                var of = Node(logical.BaseSchema, depth + 1);
                return of with { Connect = Logical(logical, of.Connect) };
            case global::Avro.RecordSchema record:
                return Record(record, depth);
            case global::Avro.UnionSchema union:
                var branches = union.Schemas.Select(branch => Node(branch, depth + 1)).ToList();
                var value = branches.FirstOrDefault(branch => branch.Kind != AvroKind.Null) ?? branches[0];
                var optional = branches.Exists(branch => branch.Kind == AvroKind.Null);
                return new AvroNode(AvroKind.Union, value.Connect with { Optional = optional }) { Children = branches };
            case global::Avro.ArraySchema array:
                var item = Node(array.ItemSchema, depth + 1);
                var isMap = item.Kind == AvroKind.Record && item.Names is ["key", "value"] && item.Connect.Name?.EndsWith("MapEntry", StringComparison.Ordinal) == true;
                return new AvroNode(AvroKind.Array, Connect(schema, isMap ? ConnectKind.Map : ConnectKind.Array) with { Items = item.Connect }) { Children = [item] };
            case global::Avro.MapSchema map:
                return new AvroNode(AvroKind.Map, Connect(schema, ConnectKind.Map)) { Children = [Node(map.ValueSchema, depth + 1)] };
            case global::Avro.EnumSchema symbols:
                return new AvroNode(AvroKind.Enum, Connect(schema, ConnectKind.Text)) { Symbols = [.. symbols.Symbols.Select(Encoding.UTF8.GetBytes)] };
            case global::Avro.FixedSchema bytes:
                return new AvroNode(AvroKind.Fixed, Connect(schema, ConnectKind.Bytes)) { Size = bytes.Size };
            default:
                return Primitive(schema);
        }
    }

    private static AvroNode Primitive(Schema schema)
    {
        var (kind, connect) = schema.Tag switch
        {
            Schema.Type.Null => (AvroKind.Null, ConnectKind.Text),
            Schema.Type.Boolean => (AvroKind.Boolean, ConnectKind.Boolean),
            Schema.Type.Int or Schema.Type.Long => (AvroKind.Integer, ConnectKind.Integer),
            Schema.Type.Float => (AvroKind.Float, ConnectKind.Float),
            Schema.Type.Double => (AvroKind.Double, ConnectKind.Float),
            Schema.Type.Bytes => (AvroKind.Bytes, ConnectKind.Bytes),
            Schema.Type.String => (AvroKind.Text, ConnectKind.Text),
            _ => throw new FormatException($"Avro type {schema.Tag} is not known"),
        };
        return new AvroNode(kind, Connect(schema, connect));
    }

    private AvroNode Record(global::Avro.RecordSchema record, int depth)
    {
        var children = new List<AvroNode>(record.Fields.Count);
        var fields = new List<ConnectField>(record.Fields.Count);
        foreach (var field in record.Fields)
        {
            var child = Node(field.Schema, depth + 1);
            if (field.DefaultValue is { } value && value.Type != Newtonsoft.Json.Linq.JTokenType.Null)
            {
                child = child with { Connect = child.Connect with { Default = Default(value, child) } };
            }

            children.Add(child);
            fields.Add(new ConnectField(field.Name, child.Connect));
        }

        var connect = Connect(record, ConnectKind.Struct);
        var names = record.Fields.Select(field => field.Name).ToList();
        return new AvroNode(AvroKind.Record, connect with { Name = connect.Name ?? record.Fullname, Fields = fields })
        {
            Children = children,
            Names = names,
            Envelope = [.. names.Select(EnvelopeFieldOf)],
            Source = [.. names.Select(SourceFieldOf)],
        };
    }

    /// <summary>In Avro's JSON the default of bytes is a string of characters up to U+00FF; JSON of Connect has base64 there.</summary>
    private static string Default(Newtonsoft.Json.Linq.JToken value, AvroNode node)
    {
        var bytes = node.Kind == AvroKind.Bytes || node.Children.Any(branch => branch.Kind == AvroKind.Bytes);
        return bytes && value.Type == Newtonsoft.Json.Linq.JTokenType.String
            ? JsonSerializer.Serialize(Convert.ToBase64String(Encoding.Latin1.GetBytes(value.ToString())))
            : value.ToString(Newtonsoft.Json.Formatting.None);
    }

    private static ConnectSchema Connect(Schema schema, ConnectKind kind)
    {
        var parameters = schema.GetProperty("connect.parameters") is { } json ? JsonSerializer.Deserialize<Dictionary<string, string>>(json) : null;
        return new ConnectSchema(kind, Text(schema, "connect.name"))
        {
            Scale = Number(parameters?.GetValueOrDefault("scale")) ?? Number(schema.GetProperty("scale")),
            Length = Number(parameters?.GetValueOrDefault("length")),
            SourceColumn = parameters?.GetValueOrDefault("__debezium.source.column.name"),
        };
    }

    /// <summary>Writers that are not Connect name logical types Avro's way only.</summary>
    private static ConnectSchema Logical(global::Avro.LogicalSchema schema, ConnectSchema of)
    {
        var own = Connect(schema, of.Kind);
        var name = own.Name ?? of.Name ?? schema.LogicalTypeName switch
        {
            "decimal" => ConnectNames.Decimal,
            "date" => ConnectNames.Date,
            "time-millis" => ConnectNames.Time,
            "time-micros" => ConnectNames.MicroTime,
            "timestamp-millis" or "local-timestamp-millis" => ConnectNames.Timestamp,
            "timestamp-micros" or "local-timestamp-micros" => ConnectNames.MicroTimestamp,
            _ => null,
        };
        return of with { Name = name, Scale = own.Scale ?? of.Scale, Length = own.Length ?? of.Length, SourceColumn = own.SourceColumn ?? of.SourceColumn };
    }

    private static string? Text(Schema schema, string property) =>
        schema.GetProperty(property) is { } json ? JsonSerializer.Deserialize<string>(json) : null;

    private static int? Number(string? text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static EnvelopeField EnvelopeFieldOf(string name) => name switch
    {
        "after" => EnvelopeField.After,
        "before" => EnvelopeField.Before,
        "source" => EnvelopeField.Source,
        "op" => EnvelopeField.Operation,
        "ts_ms" => EnvelopeField.Timestamp,
        _ => EnvelopeField.Skip,
    };

    private static SourceField SourceFieldOf(string name) => name switch
    {
        "version" => SourceField.Version,
        "db" => SourceField.Db,
        "schema" => SourceField.Schema,
        "table" => SourceField.Table,
        "ts_ms" => SourceField.Timestamp,
        "lsn" => SourceField.Lsn,
        "txId" => SourceField.TransactionId,
        "sequence" => SourceField.Sequence,
        "snapshot" => SourceField.Snapshot,
        _ => SourceField.Skip,
    };
}
