namespace CdcMigrator.Domain.Changes;

/// <summary>Debezium splits a primary-key update into a delete of the old key and an insert of the new one, possibly in two lanes.</summary>
public enum KeyChangeHalf
{
    /// <summary>Not part of a key change.</summary>
    None,

    /// <summary>The delete of the old key (header <c>__debezium.newkey</c>).</summary>
    OldKey,

    /// <summary>The insert of the new key (header <c>__debezium.oldkey</c>). Its unavailable columns must be reselected.</summary>
    NewKey,
}
