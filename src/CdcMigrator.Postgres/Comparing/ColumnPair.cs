using CdcMigrator.Domain.Comparing;

namespace CdcMigrator.Postgres.Comparing;

/// <summary>A column of both sides, and how it is compared.</summary>
internal sealed record ColumnPair(SideColumn Source, SideColumn Target, ComparedColumn Compared);
