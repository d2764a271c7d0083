namespace CdcMigrator.Domain.Checks;

/// <summary>A constraint that is no key.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind"><c>check</c>, <c>foreign key</c> or <c>exclusion</c>.</param>
/// <param name="Definition">As the catalog prints it.</param>
/// <param name="IsValidated">The catalog says that all rows hold to it.</param>
public sealed record SchemaConstraint(string Name, string Kind, string Definition, bool IsValidated);
