namespace CdcMigrator.Reconciliation.Reading.Keys;

/// <summary>How keys of one schema are read.</summary>
/// <param name="Columns">For each field, in the schema's order, which key column it is; -1 for none. Empty without a schema: fields are found by name then.</param>
/// <param name="Meanings">For each key column what its value is.</param>
internal sealed record KeyPlan(int[] Columns, FieldMeaning[] Meanings);
