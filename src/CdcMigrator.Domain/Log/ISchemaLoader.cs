namespace CdcMigrator.Domain.Log;

/// <summary>Loads writer schemas of a registry so that decoders, which do no I/O, can use them. Thread-safe, idempotent.</summary>
public interface ISchemaLoader
{
    /// <summary>Makes a schema known to all decoders. Returns at once when it is already.</summary>
    /// <exception cref="Faults.FaultException">Unreachable: the registry does not answer. Poison: it does not know the id.</exception>
    Task LoadAsync(int schemaId, CancellationToken cancellationToken);
}
