using CdcMigrator.Domain.Tables;

namespace CdcMigrator.Postgres.Catalog;

/// <summary>A column with what only preflight asks for.</summary>
/// <param name="Column">The column in the Domain's words.</param>
/// <param name="Declared">Type as declared, with modifier and domain: <c>character varying(20)</c>.</param>
/// <param name="Toastable">Values may be stored out of line, so an update may not carry them.</param>
internal sealed record CatalogColumn(TargetColumn Column, string Declared, bool Toastable);
