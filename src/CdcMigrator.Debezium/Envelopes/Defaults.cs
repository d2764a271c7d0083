using CdcMigrator.Debezium.Logical;

namespace CdcMigrator.Debezium.Envelopes;

/// <summary>
/// Some converters write an explicit NULL of a nullable column with a default as that default (observed: Apicurio's Avro converter always,
/// JsonConverter unless <c>replace.null.with.default=false</c>). A value that may be such a NULL is reselected.
/// </summary>
internal static class Defaults
{
    public static FieldPlan Mark(FieldPlan field, ConnectSchema? schema, bool nullHasDefault, DebeziumSettings settings)
    {
        if (settings.PlainText || settings.NullsBecomeDefaults == false)
        {
            return field;
        }

        if (schema is null)
        {
            // Without schemas the default is not known, so that any value may be one.
            return field with { AnyValueIsSuspect = nullHasDefault };
        }

        if (!schema.Optional || schema.Default is null)
        {
            return field;
        }

        var text = Json.JsonValues.DefaultText(schema.Default, field.Type, settings);
        return text is null ? field with { AnyValueIsSuspect = true } : field with { SuspectDefault = text };
    }
}
